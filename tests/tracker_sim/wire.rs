//! Connections that can be cut: an answer that never comes and an answer that ends in the middle are what a relay has
//! to survive, and neither can be said in HTTP. Only the transport is bent here; the model decides when.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use http_body::Frame;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

/// The handle by which a request cuts the connection it came in on.
#[derive(Clone)]
pub struct Cut(Arc<AtomicBool>);

impl Cut {
    /// From now on not a byte is written; the server closes the connection when it tries.
    pub fn now(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Listening>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Listening>) -> Self {
        stream.io().cut.clone()
    }
}

/// Accepts connections that can be cut.
pub struct Listening(pub TcpListener);

impl Listener for Listening {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Small answers must not wait for more; a failure to set it only costs time.
                    let _ = stream.set_nodelay(true);
                    return (Wire { stream, cut: Cut(Arc::default()) }, address);
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// One connection.
pub struct Wire {
    stream: TcpStream,
    cut: Cut,
}

impl Wire {
    fn whole(&self) -> Result<()> {
        if self.cut.0.load(Ordering::SeqCst) { Err(Error::from(ErrorKind::ConnectionReset)) } else { Ok(()) }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

type Framed = std::result::Result<Frame<Bytes>, axum::Error>;

/// A body that sends what it has and then fails, so that the connection ends before the promised length.
pub struct Broken {
    kept: Body,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Broken {
    pub fn after(kept: Vec<u8>) -> Self {
        Self { kept: Body::from(kept), pause: None }
    }
}

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Framed>> {
        if self.pause.is_none() {
            match Pin::new(&mut self.kept).poll_frame(cx) {
                Poll::Ready(None) => {}
                other => return other,
            }
        }
        // The failure waits a little, so that what came before it is on the wire.
        let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::from_millis(30))));
        std::task::ready!(pause.as_mut().poll(cx));
        Poll::Ready(Some(Err(axum::Error::new(Error::from(ErrorKind::ConnectionReset)))))
    }
}
