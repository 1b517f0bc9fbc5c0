//! The cheapest possible HTTP/1.1 client for load: one kept connection per origin, cookies, redirects, no TLS.
//!
//! A library's client would take processor time from the server, which shares the machine's two cores with the load.

use crate::shell::Done;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer.
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Address it came from, after redirects: path and query.
    pub path: String,
    /// Body as text.
    pub body: String,
    location: Option<String>,
}

/// A browser of one person: cookies by origin, a kept connection for each.
#[derive(Default)]
pub struct Client {
    connections: BTreeMap<String, BufReader<TcpStream>>,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
    /// Origin of the last answer, such as `127.0.0.1:8080`.
    origin: String,
}

impl Client {
    /// A client whose first addresses without an origin go to this one.
    pub fn new(origin: &str) -> Client {
        Client {
            origin: origin.trim_start_matches("http://").trim_end_matches('/').to_owned(),
            ..Client::default()
        }
    }

    /// Fetches a page and follows redirects.
    pub fn get(&mut self, address: &str) -> Done<Answer> {
        self.follow("GET", address, None)
    }

    /// Sends a form and follows redirects.
    pub fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Done<Answer> {
        self.follow("POST", address, Some(encode(fields)))
    }

    fn split(&self, address: &str) -> (String, String) {
        match address.strip_prefix("http://") {
            Some(rest) => match rest.find('/') {
                Some(at) => (rest[..at].to_owned(), rest[at..].to_owned()),
                None => (rest.to_owned(), "/".to_owned()),
            },
            None => (self.origin.clone(), address.to_owned()),
        }
    }

    fn follow(&mut self, method: &str, address: &str, body: Option<String>) -> Done<Answer> {
        let (mut origin, mut path) = self.split(address);
        let mut answer = self.send(method, &origin, &path, body.as_deref())?;
        for _ in 0..12 {
            let Some(to) = answer.location.take().filter(|_| (300..400).contains(&answer.status)) else {
                return Ok(answer);
            };
            self.origin = origin;
            let to = if to.starts_with("http://") || to.starts_with('/') {
                to
            } else {
                let folder = path.split('?').next().unwrap_or("/");
                let folder = &folder[..=folder.rfind('/').unwrap_or(0)];
                format!("{folder}{to}")
            };
            (origin, path) = self.split(&to);
            answer = self.send("GET", &origin, &path, None)?;
        }
        Err(format!("more than twelve redirects from {address}"))
    }

    fn send(&mut self, method: &str, origin: &str, path: &str, body: Option<&str>) -> Done<Answer> {
        self.origin = origin.to_owned();
        let cookies = self.cookies.get(origin).map_or_else(String::new, |jar| {
            let pairs: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            if pairs.is_empty() {
                String::new()
            } else {
                format!("Cookie: {}\r\n", pairs.join("; "))
            }
        });
        let content = body.map_or_else(String::new, |body| {
            format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            )
        });
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {origin}\r\nAccept-Language: zh-TW\r\n{cookies}{content}\r\n{}",
            body.unwrap_or("")
        );
        // A kept connection may have been closed while idle; nothing was sent on it then, so once more is safe for GET only.
        let kept = self.connections.remove(origin);
        let reused = kept.is_some();
        let result = match kept {
            Some(connection) => exchange(connection, &request),
            None => exchange(connect(origin)?, &request),
        };
        let (answer, connection, set) = match result {
            Err(_) if reused && method == "GET" => exchange(connect(origin)?, &request),
            other => other,
        }
        .map_err(|error| format!("{method} {origin}{}: {error}", path.split('?').next().unwrap_or("")))?;
        if let Some(connection) = connection {
            self.connections.insert(origin.to_owned(), connection);
        }
        let jar = self.cookies.entry(origin.to_owned()).or_default();
        for (name, value) in set {
            jar.insert(name, value);
        }
        Ok(Answer {
            path: path.to_owned(),
            ..answer
        })
    }
}

fn connect(origin: &str) -> Done<BufReader<TcpStream>> {
    let stream = TcpStream::connect(origin).map_err(|error| format!("{origin}: {error}"))?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .map_err(|error| error.to_string())?;
    Ok(BufReader::with_capacity(32 * 1024, stream))
}

type Exchanged = (Answer, Option<BufReader<TcpStream>>, Vec<(String, String)>);

fn exchange(mut connection: BufReader<TcpStream>, request: &str) -> Done<Exchanged> {
    connection
        .get_mut()
        .write_all(request.as_bytes())
        .map_err(|error| format!("not sent: {error}"))?;
    let mut line = String::new();
    let mut read_line = |connection: &mut BufReader<TcpStream>| -> Done<String> {
        line.clear();
        match connection.read_line(&mut line) {
            Ok(0) => Err("the connection was closed".to_owned()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(format!("no answer: {error}")),
        }
    };
    let first = read_line(&mut connection)?;
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| format!("`{first}` is no status line"))?;
    let (mut length, mut chunked, mut close, mut location, mut set) = (None, false, false, None, Vec::new());
    loop {
        let header = read_line(&mut connection)?;
        if header.is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse::<usize>().ok(),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => close = value.eq_ignore_ascii_case("close"),
            "location" => location = Some(value.to_owned()),
            "set-cookie" => {
                if let Some((name, value)) = value.split(';').next().and_then(|pair| pair.split_once('=')) {
                    set.push((name.to_owned(), value.to_owned()));
                }
            }
            _ => {}
        }
    }
    let mut body = Vec::new();
    let mut take = |connection: &mut BufReader<TcpStream>, many: usize| -> Done {
        let from = body.len();
        body.resize(from + many, 0);
        connection
            .read_exact(&mut body[from..])
            .map_err(|error| format!("the body broke off: {error}"))
    };
    if chunked {
        loop {
            let size = read_line(&mut connection)?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or(""), 16)
                .map_err(|_| format!("`{size}` is no chunk size"))?;
            take(&mut connection, size)?;
            read_line(&mut connection)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = length {
        take(&mut connection, length)?;
    } else if status != 204 && status != 304 {
        close = true;
        connection
            .read_to_end(&mut body)
            .map_err(|error| format!("the body broke off: {error}"))?;
    }
    let answer = Answer {
        status,
        path: String::new(),
        body: String::from_utf8_lossy(&body).into_owned(),
        location,
    };
    Ok((answer, (!close).then_some(connection), set))
}

fn encode(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        for (part, end) in [(name, "="), (value, "")] {
            for byte in part.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => text.push(char::from(byte)),
                    _ => text.push_str(&format!("%{byte:02X}")),
                }
            }
            text.push_str(end);
        }
    }
    text
}

/// The value of the first input of this name in a page, with `&amp;` and its like left alone: tokens have none.
pub fn input<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let at = page.find(&format!("name=\"{name}\""))?;
    let start = page[..at].rfind('<')?;
    let end = start + page[start..].find('>')?;
    let tag = &page[start..end];
    let value = &tag[tag.find("value=\"")? + 7..];
    value.split('"').next()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Serves the given answers, one connection after another, and returns what was asked.
    fn serve(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream);
                let mut request = String::new();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    request.push_str(&line);
                    if line == "\r\n" {
                        break;
                    }
                }
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
                asked.push(request);
            }
            asked
        });
        (origin, server)
    }

    #[test]
    fn redirects_are_followed_with_their_cookies_and_chunks_are_joined() {
        let (origin, server) = serve(vec![
            "HTTP/1.1 303 See Other\r\nLocation: /there?x=1\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        ]);
        let answer = Client::new(&origin).get("/here").unwrap();
        assert_eq!(
            (answer.status, answer.path.as_str(), answer.body.as_str()),
            (200, "/there?x=1", "abcde")
        );
        let asked = server.join().unwrap();
        assert!(asked[1].contains("Cookie: a=b\r\n"));
    }

    #[test]
    fn forms_are_encoded_and_inputs_found() {
        assert_eq!(encode(&[("a b", "中"), ("c", "1&2")]), "a%20b=%E4%B8%AD&c=1%262");
        let page = "<input type=\"hidden\" name=\"_token\" value=\"t-1\"><input value=\"7\" name=\"revision\">";
        assert_eq!(
            (input(page, "_token"), input(page, "revision"), input(page, "no")),
            (Some("t-1"), Some("7"), None)
        );
    }
}
