//! One request over plain HTTP to whoever is told of things; the status is all there is to know.

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// Sends it; answers with the status.
///
/// # Errors
/// When the other side is not there, or speaks another language.
pub(super) async fn send(
    method: &str,
    url: &Url,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<u16> {
    let host = format!(
        "{}:{}",
        url.host_str().unwrap_or_default(),
        url.port_or_known_default().unwrap_or(80)
    );
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let mut request = format!(
        "{method} {}{query} HTTP/1.1\r\nhost: {host}\r\n",
        url.path()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!(
        "content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ));
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    // `HTTP/1.1 204`
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    std::str::from_utf8(&head[9..])
        .ok()
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}
