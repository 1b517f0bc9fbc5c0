//! Bodies on their way: hashed while they pass, bounded in size and time, and followed by what must come after the last byte.
//!
//! A small body is held whole, so that its signature can stand in the header and a false one is never handed on. A long one
//! passes as it comes; its end waits until the signature is made or has been checked and the exchange is in the log. Whoever
//! reads a body whose proof fails sees a broken connection, never a whole body.

use crate::canonical::{Hashed, Running};
use bytes::{Bytes, BytesMut};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::HeaderMap;
use hyper::body::{Body as HttpBody, Frame};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// A body of any source.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body could not be read or handed on to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More bytes than allowed.
    #[error("the body is larger than allowed")]
    TooLarge,
    /// It ended before its end.
    #[error("the body broke off")]
    Broken,
    /// Nothing came for too long.
    #[error("the body came too slowly")]
    Slow,
    /// Its reader went away.
    #[error("the reader of the body went away")]
    Abandoned,
    /// Hash or signature are not right.
    #[error("the body's signature or hash is wrong")]
    NotProven,
    /// The exchange could not be logged.
    #[error("the exchange could not be logged")]
    NotLogged,
}

/// A body of bytes.
#[must_use]
pub fn full(bytes: impl Into<Bytes>) -> Body {
    let bytes = bytes.into();
    match bytes.is_empty() {
        true => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        false => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
    }
}

/// Pieces smaller than this are gathered: each would hold on to the whole buffer it was read into.
const SMALL: usize = 4 << 10;
/// Gathered pieces become one of about this size.
const GATHERED: usize = 64 << 10;

/// Takes a piece behind those that are there; small ones gather first.
fn put(pieces: &mut VecDeque<Bytes>, gathering: &mut BytesMut, piece: Bytes) {
    if piece.len() < SMALL {
        gathering.extend_from_slice(&piece);
        if gathering.len() >= GATHERED {
            flush(pieces, gathering);
        }
        return;
    }
    flush(pieces, gathering);
    pieces.push_back(piece);
}

fn flush(pieces: &mut VecDeque<Bytes>, gathering: &mut BytesMut) {
    if !gathering.is_empty() {
        pieces.push_back(std::mem::take(gathering).freeze());
    }
}

/// What has come of a body.
#[derive(Default, Clone)]
pub struct Start {
    /// The bytes, in pieces.
    pub pieces: VecDeque<Bytes>,
    /// Their running hash.
    pub running: Running,
    /// Headers behind the body.
    pub trailers: Option<HeaderMap>,
    /// Whether that was all.
    pub whole: bool,
}

impl Start {
    /// All bytes as one piece.
    #[must_use]
    pub fn joined(&self) -> Bytes {
        match (self.pieces.len(), self.pieces.front()) {
            (1, Some(only)) => only.clone(),
            _ => {
                let mut joined = Vec::with_capacity(self.pieces.iter().map(Bytes::len).sum());
                for piece in &self.pieces {
                    joined.extend_from_slice(piece);
                }
                joined.into()
            }
        }
    }

    /// Digest and size.
    #[must_use]
    pub fn hashed(&self) -> Hashed {
        self.running.clone().finish()
    }
}

/// Reads a body until its end or until more than `most` bytes came, and refuses it beyond `limit`.
///
/// # Errors
/// [`BodyError`]
pub async fn start<B>(body: &mut B, most: u64, limit: u64, pause: Duration, until: Instant) -> Result<Start, BodyError>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut start = Start::default();
    let mut gathering = BytesMut::new();
    if body.size_hint().lower() > limit {
        return Err(BodyError::TooLarge);
    }
    while start.running.bytes <= most {
        let by = until.min(Instant::now() + pause);
        let frame = match tokio::time::timeout_at(by, body.frame()).await {
            Err(_) => return Err(BodyError::Slow),
            Ok(None) => {
                start.whole = true;
                break;
            }
            Ok(Some(Err(_))) => return Err(BodyError::Broken),
            Ok(Some(Ok(frame))) => frame,
        };
        match frame.into_data() {
            Ok(data) => {
                start.running.update(&data);
                if start.running.bytes > limit {
                    return Err(BodyError::TooLarge);
                }
                put(&mut start.pieces, &mut gathering, data);
            }
            Err(frame) => start.trailers = frame.into_trailers().ok().or(start.trailers),
        }
    }
    flush(&mut start.pieces, &mut gathering);
    Ok(start)
}

/// How a body ended.
pub struct End {
    /// Digest and size of what passed.
    pub hashed: Hashed,
    /// Headers behind it.
    pub trailers: Option<HeaderMap>,
    /// Its bytes, where they were to be kept and were not too many.
    pub kept: Option<Vec<u8>>,
    /// Why it did not pass whole.
    pub error: Option<BodyError>,
}

/// What is done after the last byte and before the end: gives the headers to follow, or breaks the body off.
pub type Finish =
    Box<dyn FnOnce(End) -> Pin<Box<dyn Future<Output = Result<Option<HeaderMap>, BodyError>> + Send>> + Send>;

enum State {
    Passing,
    Ending(Pin<Box<dyn Future<Output = Result<Option<HeaderMap>, BodyError>> + Send>>),
    Trailers(HeaderMap),
    Over,
}

/// Bounds of a passing body.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most bytes.
    pub limit: u64,
    /// Longest pause.
    pub pause: Duration,
    /// Most bytes kept; none keeps nothing.
    pub keep: Option<u64>,
}

/// A body that passes.
pub struct Passing<B> {
    inner: B,
    start: VecDeque<Bytes>,
    running: Running,
    trailers: Option<HeaderMap>,
    whole: bool,
    kept: Option<Vec<u8>>,
    bounds: Bounds,
    /// The newest piece, until it is known whether it is the last.
    held: Option<Bytes>,
    timer: Pin<Box<Sleep>>,
    /// Whether the timer runs: only a source that lets us wait is slow, not a reader that does.
    waiting: bool,
    finish: Option<Finish>,
    state: State,
}

impl<B> Passing<B>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
{
    /// Goes on from what has come already.
    #[must_use]
    pub fn after(start: Start, inner: B, bounds: Bounds, finish: Finish) -> Body {
        let mut passing = Passing {
            inner,
            running: start.running,
            trailers: start.trailers,
            whole: start.whole,
            kept: bounds.keep.map(|_| Vec::new()),
            start: start.pieces,
            bounds,
            held: None,
            timer: Box::pin(tokio::time::sleep(bounds.pause)),
            waiting: false,
            finish: Some(finish),
            state: State::Passing,
        };
        for at in 0..passing.start.len() {
            if let Some(piece) = passing.start.get(at).cloned() {
                passing.keep(&piece);
            }
        }
        passing.boxed_unsync()
    }
}

impl<B> Passing<B> {
    fn keep(&mut self, piece: &Bytes) {
        let most = self.bounds.keep.unwrap_or_default();
        match &mut self.kept {
            Some(kept) if (kept.len() + piece.len()) as u64 <= most => kept.extend_from_slice(piece),
            kept => *kept = None,
        }
    }

    fn end(&mut self, error: Option<BodyError>) {
        let Some(finish) = self.finish.take() else {
            self.state = State::Over;
            return;
        };
        let end = End {
            hashed: std::mem::take(&mut self.running).finish(),
            trailers: self.trailers.take(),
            kept: self.kept.take(),
            error,
        };
        self.state = State::Ending(finish(end));
    }
}

impl<B> Passing<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    /// The next piece of the inner body.
    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if let Some(piece) = self.start.pop_front() {
            return Poll::Ready(Some(Ok(piece)));
        }
        if self.whole {
            return Poll::Ready(None);
        }
        loop {
            let frame = match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(BodyError::Broken))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    if !self.waiting {
                        self.waiting = true;
                        self.timer.as_mut().reset(Instant::now() + self.bounds.pause);
                    }
                    return match self.timer.as_mut().poll(cx) {
                        Poll::Ready(()) => Poll::Ready(Some(Err(BodyError::Slow))),
                        Poll::Pending => Poll::Pending,
                    };
                }
            };
            self.waiting = false;
            match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => {
                    self.running.update(&data);
                    if self.running.bytes > self.bounds.limit {
                        return Poll::Ready(Some(Err(BodyError::TooLarge)));
                    }
                    self.keep(&data);
                    return Poll::Ready(Some(Ok(data)));
                }
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        self.trailers = Some(trailers);
                    }
                }
            }
        }
    }
}

impl<B> HttpBody for Passing<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Over => return Poll::Ready(None),
                State::Trailers(_) => {
                    let State::Trailers(trailers) = std::mem::replace(&mut this.state, State::Over) else {
                        continue;
                    };
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                State::Ending(ending) => match ending.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(error)) => {
                        this.state = State::Over;
                        this.held = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                    Poll::Ready(Ok(trailers)) => {
                        this.state = trailers.map_or(State::Over, State::Trailers);
                        if let Some(last) = this.held.take() {
                            return Poll::Ready(Some(Ok(Frame::data(last))));
                        }
                    }
                },
                State::Passing => match this.next(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Some(Ok(piece))) => {
                        if let Some(before) = this.held.replace(piece) {
                            return Poll::Ready(Some(Ok(Frame::data(before))));
                        }
                    }
                    Poll::Ready(Some(Err(error))) => this.end(Some(error)),
                    Poll::Ready(None) => this.end(None),
                },
            }
        }
    }
}

impl<B> Drop for Passing<B> {
    fn drop(&mut self) {
        // the record is handed to the log when the future is made; nobody is left to wait for it
        if matches!(self.state, State::Passing) {
            self.end(Some(BodyError::Abandoned));
        }
    }
}
