//! Bodies of requests too large for memory, which must wait until their trailing signature is checked: in a file that has no
//! name, in large blocks, encrypted with a key that only memory holds.

use crate::body::{Body, BodyError, Start};
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body as HttpBody, Frame};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Plain bytes of a block.
const BLOCK: usize = 256 << 10;
/// Authentication tag of a block.
const TAG: usize = 16;

/// A body that has come whole.
pub struct Spooled {
    /// Its hash, size, trailers; and its bytes where they were few.
    pub start: Start,
    file: Option<Blocks>,
}

struct Blocks {
    file: File,
    key: Arc<LessSafeKey>,
    blocks: u64,
}

/// Bounds of a body that waits.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Up to this it waits in memory.
    pub memory: u64,
    /// Most bytes.
    pub limit: u64,
    /// Longest pause.
    pub pause: Duration,
    /// When it must have come whole.
    pub until: Instant,
}

/// Why a body could not be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpoolError {
    /// The body itself.
    Body(BodyError),
    /// The file.
    File(String),
}

fn nonce(block: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&block.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

impl Blocks {
    fn new(folder: &Path) -> Result<Blocks, SpoolError> {
        let failed = |why: std::io::Error| SpoolError::File(why.to_string());
        let path = folder.join(format!("body-{}", uuid::Uuid::new_v4()));
        let file = OpenOptions::new()
            .create_new(true)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        std::fs::remove_file(&path).map_err(failed)?;
        let mut key = [0; 32];
        let refused = |_| SpoolError::File("no randomness for a key".to_owned());
        SystemRandom::new().fill(&mut key).map_err(refused)?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(refused)?;
        Ok(Blocks {
            file,
            key: Arc::new(LessSafeKey::new(key)),
            blocks: 0,
        })
    }

    fn write(mut self, mut block: Vec<u8>) -> Result<Blocks, SpoolError> {
        let sealed = self
            .key
            .seal_in_place_append_tag(nonce(self.blocks), Aad::empty(), &mut block);
        sealed.map_err(|_| SpoolError::File("a block can't be sealed".to_owned()))?;
        self.file
            .write_all(&block)
            .map_err(|why| SpoolError::File(why.to_string()))?;
        self.blocks += 1;
        Ok(self)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(SpoolError::File(error.to_string())),
    }
}

/// Reads a body to its end.
///
/// # Errors
/// [`SpoolError`]
pub async fn read<B>(body: &mut B, bounds: Bounds, folder: &Path) -> Result<Spooled, SpoolError>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let started = crate::body::start(body, bounds.memory, bounds.limit, bounds.pause, bounds.until).await;
    let mut start = started.map_err(SpoolError::Body)?;
    if start.whole {
        return Ok(Spooled { start, file: None });
    }
    let folder = folder.to_path_buf();
    let mut blocks = blocking(move || Blocks::new(&folder)).await?;
    let mut block = Vec::with_capacity(BLOCK + TAG);
    let mut pieces = std::mem::take(&mut start.pieces);
    loop {
        while let Some(mut piece) = pieces.pop_front() {
            while block.len() + piece.len() >= BLOCK {
                block.extend_from_slice(&piece.split_to(BLOCK - block.len()));
                let full = std::mem::replace(&mut block, Vec::with_capacity(BLOCK + TAG));
                blocks = blocking(move || blocks.write(full)).await?;
            }
            block.extend_from_slice(&piece);
        }
        if start.whole {
            break;
        }
        let by = bounds.until.min(Instant::now() + bounds.pause);
        let frame = match tokio::time::timeout_at(by, body.frame()).await {
            Err(_) => return Err(SpoolError::Body(BodyError::Slow)),
            Ok(Some(Err(_))) => return Err(SpoolError::Body(BodyError::Broken)),
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => {
                start.whole = true;
                continue;
            }
        };
        match frame.into_data() {
            Ok(data) => {
                start.running.update(&data);
                if start.running.bytes > bounds.limit {
                    return Err(SpoolError::Body(BodyError::TooLarge));
                }
                pieces.push_back(data);
            }
            Err(frame) => start.trailers = frame.into_trailers().ok().or(start.trailers),
        }
    }
    if !block.is_empty() {
        blocks = blocking(move || blocks.write(block)).await?;
    }
    Ok(Spooled {
        start,
        file: Some(blocks),
    })
}

impl Spooled {
    /// Whether its bytes are in memory.
    pub fn in_memory(&self) -> bool {
        self.file.is_none()
    }

    /// The body, to be sent on.
    ///
    /// # Errors
    /// [`SpoolError::File`]
    pub fn into_body(self) -> Result<Body, SpoolError> {
        let Some(mut blocks) = self.file else {
            return Ok(crate::body::full(self.start.joined()));
        };
        blocks
            .file
            .seek(SeekFrom::Start(0))
            .map_err(|why| SpoolError::File(why.to_string()))?;
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, BodyError>>(2);
        tokio::task::spawn_blocking(move || {
            for number in 0..blocks.blocks {
                let mut sealed = Vec::with_capacity(BLOCK + TAG);
                let file = Read::by_ref(&mut blocks.file);
                let read = file.take((BLOCK + TAG) as u64).read_to_end(&mut sealed);
                let opened = read.ok().and_then(|_| {
                    blocks
                        .key
                        .open_in_place(nonce(number), Aad::empty(), &mut sealed)
                        .ok()
                        .map(|plain| plain.len())
                });
                let frame = match opened {
                    Some(length) => {
                        sealed.truncate(length);
                        Ok(Frame::data(Bytes::from(sealed)))
                    }
                    None => Err(BodyError::Broken),
                };
                let broken = frame.is_err();
                if sender.blocking_send(frame).is_err() || broken {
                    return;
                }
            }
        });
        let stream = futures_stream(receiver);
        Ok(StreamBody::new(stream).boxed_unsync())
    }
}

/// A channel as a stream of frames.
fn futures_stream<T: Send + 'static>(
    receiver: tokio::sync::mpsc::Receiver<T>,
) -> impl futures::Stream<Item = T> + Send {
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    })
}
