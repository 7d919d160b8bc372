//! Ways to send a mail.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, pin::Pin};

use lettre::Message;

use super::MailError;

/// A way to send a mail.
pub trait Transport: Send + Sync + 'static {
    /// Sends a mail. `id` is the same if the same mail is sent again.
    fn send<'a>(
        &'a self,
        id: &'a str,
        message: Message,
    ) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>>;
}

/// Writes each mail as an .eml file into a folder and says so in the log.
#[derive(Clone, Debug)]
pub struct MailDir(PathBuf);

impl MailDir {
    /// Opens the folder; makes it if it is not there.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn open(folder: PathBuf) -> std::io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn write(&self, id: &str, message: &Message) -> std::io::Result<PathBuf> {
        let file = self.0.join(format!("{id}.eml"));
        // Under another name until it is whole: who watches the folder sees no half mail.
        let unfinished = self.0.join(format!(".{id}.tmp"));
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            // It holds the key to a login.
            .mode(0o600)
            .open(&unfinished)?
            .write_all(&message.formatted())?;
        fs::rename(&unfinished, &file)?;
        Ok(file)
    }
}

impl Transport for MailDir {
    fn send<'a>(
        &'a self,
        id: &'a str,
        message: Message,
    ) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>> {
        let folder = self.clone();
        let id = id.to_owned();
        Box::pin(async move {
            let file = tokio::task::spawn_blocking(move || folder.write(&id, &message))
                .await
                .map_err(std::io::Error::other)??;
            tracing::info!(file = %file.display(), "wrote a login mail");
            Ok(())
        })
    }
}
