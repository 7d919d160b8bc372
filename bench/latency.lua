-- Prints what wrk measured as one line of JSON; times in milliseconds.
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\nRESULT {"rate": %.1f, "failed": %d, "p50": %.3f, "p99": %.3f, "p999": %.3f}\n',
    summary.requests / summary.duration * 1e6, failed,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3))
end
