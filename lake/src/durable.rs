//! Object store of a folder whose files are on the disk before a write returns.
//!
//! The one that it is based on leaves that to the operating system: after a loss of power an entry
//! of the log could be empty, or its files missing, while the events are gone from the inbox.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, Write},
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart, local::LocalFileSystem, path::Path,
};

/// A file system whose writes are durable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Durable(Arc<LocalFileSystem>);

impl fmt::Display for Durable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Durable({})", self.0)
    }
}

#[async_trait]
impl ObjectStore for Durable {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let file = self.0.path_to_filesystem(path)?;
        let is_new = matches!(options.mode, PutMode::Create);
        blocking(file, move |file| put(file, &payload, is_new)).await?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let file = self.0.path_to_filesystem(path)?;
        let create = |file: &FilePath| create_folder(folder_of(file)?);
        blocking(file.clone(), create).await?;
        let upload = self.0.put_multipart_opts(path, options).await?;
        Ok(Box::new(Upload { upload, file }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.0.rename_opts(from, to, options).await
    }
}

/// A large file that is written in parts.
#[derive(Debug)]
struct Upload {
    upload: Box<dyn MultipartUpload>,
    file: PathBuf,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        self.upload.put_part(payload)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let put = self.upload.complete().await?;
        let sync = |file: &FilePath| {
            File::open(file)?.sync_all()?;
            sync_folder(folder_of(file)?)
        };
        blocking(self.file.clone(), sync).await?;
        Ok(put)
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await
    }
}

/// Does work on a file by a thread that may wait for the disk.
async fn blocking(
    file: PathBuf,
    work: impl FnOnce(&FilePath) -> io::Result<()> + Send + 'static,
) -> Result<()> {
    let path = file.display().to_string();
    let done = tokio::task::spawn_blocking(move || work(&file)).await?;
    done.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists {
            path,
            source: Box::new(source),
        },
        _ => Error::Generic {
            store: "Durable",
            source: Box::new(source),
        },
    })
}

/// Writes a file under another name first, so that nobody sees a part of it.
fn put(file: &FilePath, payload: &PutPayload, is_new: bool) -> io::Result<()> {
    let folder = folder_of(file)?;
    create_folder(folder)?;
    // The file system does not list names that end like this. The number is a random one.
    let number = RandomState::new().build_hasher().finish();
    let other = format!("{}#{number}", file.display());
    let written = write(FilePath::new(&other), payload).and_then(|()| match is_new {
        // Fails if the file exists.
        true => fs::hard_link(&other, file).and_then(|()| fs::remove_file(&other)),
        false => fs::rename(&other, file),
    });
    if written.is_err() {
        // What is left of it is not listed.
        let _ = fs::remove_file(&other);
    }
    written?;
    sync_folder(folder)
}

fn write(file: &FilePath, payload: &PutPayload) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(file)?;
    for bytes in payload.iter() {
        file.write_all(bytes)?;
    }
    file.sync_all()
}

/// Creates a folder with those around it.
fn create_folder(folder: &FilePath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let around = folder_of(folder)?;
    create_folder(around)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(around),
    }
}

fn sync_folder(folder: &FilePath) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn folder_of(file: &FilePath) -> io::Result<&FilePath> {
    file.parent()
        .ok_or_else(|| io::Error::other("the root has no folder around it"))
}
