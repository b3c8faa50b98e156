//! A request's body, read whole: not larger than its handler wants, and not for ever.

use super::site::Refusal;
use crate::domain::FaultKind;
use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::timeout;

/// How long a client may take to send a whole body.
const WITHIN: Duration = Duration::from_secs(10);

/// A body of at most so many bytes.
pub(super) struct Payload<const LARGEST: usize>(pub(super) Bytes);

impl<const LARGEST: usize, S: Send + Sync> FromRequest<S> for Payload<LARGEST> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let refusal = |status, text: String| Refusal::new(status, FaultKind::Configuration, text);
        let large = || {
            refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("a body here has at most {LARGEST} bytes"),
            )
        };
        let body = request.into_body();
        if body.size_hint().lower() > LARGEST as u64 {
            return Err(large());
        }
        let read = async {
            let (mut bytes, mut parts) = (Vec::new(), body.into_data_stream());
            while let Some(part) = parts.next().await {
                let part = part.map_err(|_| {
                    let text = "the body ends in its middle, or is not written as it says";
                    refusal(StatusCode::BAD_REQUEST, text.to_owned())
                })?;
                if bytes.len() + part.len() > LARGEST {
                    return Err(large());
                }
                bytes.extend_from_slice(&part);
            }
            Ok(Payload(Bytes::from(bytes)))
        };
        match timeout(WITHIN, read).await {
            Ok(read) => read,
            Err(_) => {
                let text = format!("the body was not there within {} s", WITHIN.as_secs());
                Err(refusal(StatusCode::REQUEST_TIMEOUT, text))
            }
        }
    }
}

/// An order's JSON, which is an object: a list would be taken for its fields in their order, and an
/// empty one for an order of everything.
pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body)?;
    serde_json::from_value(serde_json::Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use futures_util::stream;

    async fn read(body: Body) -> Result<usize, StatusCode> {
        let read = Payload::<100>::from_request(Request::new(body), &()).await;
        read.map(|Payload(bytes)| bytes.len())
            .map_err(|refusal| refusal.status)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_there_whole_or_refused_with_the_reason() {
        assert_eq!(read(Body::from(vec![0; 100])).await, Ok(100));
        assert_eq!(
            read(Body::from(vec![0; 101])).await,
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        );
        let parts = |count| {
            Body::from_stream(stream::iter(
                (0..count).map(|_| Ok::<_, std::io::Error>(vec![0; 30])),
            ))
        };
        assert_eq!(read(parts(3)).await, Ok(90));
        assert_eq!(
            read(parts(4)).await,
            Err(StatusCode::PAYLOAD_TOO_LARGE),
            "without a length said before"
        );
        let dripping = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(vec![0]), ()))
        });
        assert_eq!(
            read(Body::from_stream(dripping)).await,
            Err(StatusCode::REQUEST_TIMEOUT)
        );
        let broken = stream::iter([Ok(vec![0]), Err(std::io::Error::other("no chunk"))]);
        assert_eq!(
            read(Body::from_stream(broken)).await,
            Err(StatusCode::BAD_REQUEST),
            "not told as too large"
        );
    }

    #[test]
    fn an_order_is_an_object() {
        #[derive(Debug, Default, PartialEq, serde::Deserialize)]
        #[serde(default)]
        struct Order {
            full: bool,
        }
        assert_eq!(
            object::<Order>(b"{\"full\":true}").unwrap(),
            Order { full: true }
        );
        assert_eq!(object::<Order>(b"{}").unwrap(), Order::default());
        for body in ["[]", "[true]", "null", "\"full\"", "", "{"] {
            assert!(object::<Order>(body.as_bytes()).is_err(), "{body}");
        }
    }
}
