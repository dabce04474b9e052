//! The deadline of an intent, checked where nothing else can: after connecting, right before the first byte goes out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use tower::{Layer, Service};

use crate::clock::Clock;

/// No deadline.
pub(super) const ANY_TIME: i64 = i64::MAX;

/// A deadline on the boot clock that a transport moves from request to request, around reqwest's connector.
#[derive(Clone)]
pub(super) struct DeadlineLayer {
    pub deadline: Arc<AtomicI64>,
    pub clock: Arc<dyn Clock + Send + Sync>,
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, layer: self.clone() }
    }
}

#[derive(Clone)]
pub(super) struct DeadlineService<S> {
    inner: S,
    layer: DeadlineLayer,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, R> Service<R> for DeadlineService<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        let deadline = self.layer.deadline.load(Ordering::SeqCst);
        let clock = Arc::clone(&self.layer.clock);
        Box::pin(async move {
            let connection = connecting.await?;
            if clock.now().boot > deadline {
                return Err("connecting took longer than the request may wait".into());
            }
            Ok(connection)
        })
    }
}
