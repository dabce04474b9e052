//! The body of a document's request as a stream of known length, so that no CV is held in memory as a whole.

use std::io::Read;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::transport::DocumentSource;

/// Plain bytes of a document that are read at a time; a multiple of three, so that base64 joins.
const PIECE: usize = 48 * 1024;

/// A JSON body around a document, base64 made in passing. Its length is known before.
pub(super) struct DocumentStream {
    before: Option<Bytes>,
    // `Body::wrap` asks for `Sync`; only `&mut` is ever used.
    reader: Mutex<Box<dyn Read + Send>>,
    after: Option<Bytes>,
    document_done: bool,
    /// Bytes that are still to be sent.
    pub left: u64,
}

impl DocumentStream {
    pub fn new(before: &[u8], source: &dyn DocumentSource, after: Vec<u8>) -> std::io::Result<Self> {
        let encoded = source.size().div_ceil(3) * 4;
        let left = before.len() as u64 + encoded + after.len() as u64;
        Ok(Self {
            before: Some(Bytes::copy_from_slice(before)),
            reader: Mutex::new(source.open()?),
            after: Some(after.into()),
            document_done: false,
            left,
        })
    }

    fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        if let Some(before) = self.before.take() {
            return Ok(Some(before));
        }
        if !self.document_done {
            let reader = self.reader.get_mut().map_err(|_| std::io::Error::other("poisoned"))?;
            let mut piece = zeroize::Zeroizing::new(Vec::with_capacity(PIECE));
            reader.take(PIECE as u64).read_to_end(&mut piece)?;
            self.document_done = piece.len() < PIECE;
            if !piece.is_empty() {
                return Ok(Some(BASE64.encode(piece.as_slice()).into()));
            }
        }
        Ok(self.after.take())
    }
}

impl http_body::Body for DocumentStream {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let next = self.next().transpose();
        if let Some(Ok(bytes)) = &next {
            self.left = self.left.saturating_sub(bytes.len() as u64);
        }
        Poll::Ready(next.map(|result| result.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
