//! The platform's call to the city: a POST of JSON over a plain connection on loopback.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// Longest wait for a connection, and for the answer.
const WAIT: Duration = Duration::from_secs(15);

/// Posts the notification. The status of the answer, or `None` without one.
pub async fn post(url: &Url, body: &serde_json::Value) -> Option<u16> {
    tokio::time::timeout(WAIT, call(url, &body.to_string()))
        .await
        .ok()?
        .ok()
        .flatten()
}

async fn call(url: &Url, body: &str) -> std::io::Result<Option<u16>> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Ok(None);
    };
    let mut stream = TcpStream::connect((host, port)).await?;
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    let request = format!(
        "POST {}{query} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json; charset=UTF-8\r\nAccept: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        url.path(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    let first = String::from_utf8_lossy(&answer);
    Ok(first.split_whitespace().nth(1).and_then(|code| code.parse().ok()))
}
