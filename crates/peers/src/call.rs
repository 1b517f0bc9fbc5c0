//! Calls of the demonstration's peers to the city: plain HTTP on loopback, bounded in time and size.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

const WAIT: Duration = Duration::from_secs(15);
const LARGEST: u64 = 8 << 20;

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request; `None` without an answer.
pub async fn send(method: &str, url: &Url, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
    tokio::time::timeout(WAIT, call(method, url, headers, body))
        .await
        .ok()?
        .ok()
        .flatten()
}

async fn call(method: &str, url: &Url, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<Option<Answer>> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Ok(None);
    };
    let mut stream = TcpStream::connect((host, port)).await?;
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    // HTTP/1.0, so that the body comes whole and without chunks
    let mut head = format!(
        "{method} {}{query} HTTP/1.0\r\nHost: {host}:{port}\r\nContent-Length: {}\r\nConnection: close\r\n",
        url.path(),
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    stream.write_all(body).await?;
    let mut bytes = Vec::new();
    stream.take(LARGEST).read_to_end(&mut bytes).await?;
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let body = bytes.split_off(end.saturating_add(4));
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
    Ok(status.map(|status| Answer { status, body }))
}
