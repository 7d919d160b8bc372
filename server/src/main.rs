//! The binary `cortex-reportd`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cortex_report_server::main()
}
