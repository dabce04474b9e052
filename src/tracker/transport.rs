//! What a request and an answer are, apart from how they travel: real HTTP in a site, a model in a simulation.

use std::io::{self, Read};

use zeroize::Zeroizing;

use crate::codes::Code;

/// A document that is sent as a stream: opened when its turn comes, so that no CV is held in memory.
pub trait DocumentSource: Send {
    /// Plain bytes.
    fn size(&self) -> u64;
    /// Opens it from the beginning.
    ///
    /// # Errors
    /// The operating system's, or `InvalidData` when it does not unseal.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// The body of a request.
pub enum Body {
    /// None.
    Empty,
    /// Bytes and their media type.
    Bytes(&'static str, Zeroizing<Vec<u8>>),
    /// JSON text around a document's base64.
    Document {
        /// JSON up to the base64.
        before: Zeroizing<Vec<u8>>,
        /// The document.
        source: Box<dyn DocumentSource>,
        /// JSON after the base64.
        after: Vec<u8>,
    },
}

/// A request to Tracker.
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// The bearer token, if one is sent as a header.
    pub bearer: Option<Zeroizing<String>>,
    /// The body.
    pub body: Body,
    /// Boot-clock milliseconds after which the first byte must not be sent any more.
    pub deadline: Option<i64>,
}

impl Request {
    /// Whether it goes to REST v1 or to the exchange of its token, which live on a host of their own.
    pub fn is_rest(&self) -> bool {
        ["/api/v1/", "/api/Auth/"].iter().any(|part| self.url.contains(part))
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Seconds of `Retry-After`.
    pub retry_after: Option<u64>,
    /// Tracker's clock, seconds since 1970.
    pub date: Option<i64>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// No whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Proven: not one byte of the request left.
    NotSent(Code, String),
    /// It left, or may have left; nobody knows what became of it.
    Lost(String),
}

/// Sends one request and waits for its whole answer. Never repeats, never follows a redirect.
pub trait Transport {
    /// Sends.
    ///
    /// # Errors
    /// [`Failure`] when no whole answer came.
    fn send(&mut self, request: Request) -> Result<Response, Failure>;

    /// Why nothing at all can be sent through it, if so: known before anything is tried.
    fn unfit(&self) -> Option<&str> {
        None
    }

    /// Whether the site itself forbids to speak with the host of an address: nobody's outage, and no try.
    fn blocks(&self, _url: &str) -> bool {
        false
    }
}

/// What stands in where no transport can be made, in words: a run goes on without it as far as it can.
#[derive(Debug, Clone)]
pub struct Unfit(pub String);

impl Transport for Unfit {
    fn send(&mut self, _: Request) -> Result<Response, Failure> {
        Err(Failure::NotSent(Code::TrackerTls, self.0.clone()))
    }

    fn unfit(&self) -> Option<&str> {
        Some(&self.0)
    }
}
