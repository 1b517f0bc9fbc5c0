//! One request over one connection, written by hand so that it can be wrong.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

/// Headers of a request.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The address the browser is sent to.
    pub fn location(&self) -> Url {
        Url::parse(self.header("location").unwrap_or_else(|| panic!("no way on: {self:?}"))).unwrap()
    }

    /// A value of the address the browser is sent to.
    pub fn query(&self, name: &str) -> Option<String> {
        let to = self.location();
        to.query_pairs()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// Sends a request on a connection and leaves the answer unread.
pub async fn send(method: &str, url: &Url, headers: Headers<'_>, body: &[u8]) -> TcpStream {
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    let mut head = format!(
        "{method} {}{query} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\nconnection: close\r\n",
        url.path(),
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    // a server that refuses by the head alone may close before it has read the body
    let _ = stream.write_all(body).await;
    stream
}

pub async fn receive(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    Reply {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: bytes.split_off(end + 4),
    }
}

pub async fn get(url: &Url, headers: Headers<'_>) -> Reply {
    receive(send("GET", url, headers, b"").await).await
}

/// Posts a form.
pub async fn post(url: &Url, headers: Headers<'_>, pairs: &[(&str, &str)]) -> Reply {
    receive(send_form(url, headers, pairs).await).await
}

pub async fn send_form(url: &Url, headers: Headers<'_>, pairs: &[(&str, &str)]) -> TcpStream {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let headers: Vec<_> = [form].iter().chain(headers).copied().collect();
    send("POST", url, &headers, body.as_bytes()).await
}
