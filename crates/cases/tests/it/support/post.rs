//! A mail server that takes everything, as much of SMTP (RFC 5321) as a sender needs.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What came: the receiver, and the message as it was sent.
pub type Kept = Arc<Mutex<Vec<(String, String)>>>;

/// Starts one; gives the way to it and what it keeps.
pub async fn post() -> (exchange::mail::Mailer, Kept) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = Kept::default();
    let keeps = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, Arc::clone(&keeps)));
        }
    });
    let config = serde_json::json!({
        "host": "127.0.0.1", "port": port, "protection": "none", "from": "noreply@city.example", "timeout_seconds": 5
    });
    let mailer = exchange::mail::Mailer::new(&serde_json::from_value(config).unwrap()).unwrap();
    (mailer, kept)
}

async fn talk(stream: TcpStream, kept: Kept) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 here\r\n").await.unwrap();
    let mut to = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.get(..4).unwrap_or_default() {
            "EHLO" => "250 here",
            "RCPT" => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                "250 ok"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.unwrap();
                let mut source = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    source.push_str(&line);
                    source.push('\n');
                }
                kept.lock().unwrap().push((to.clone(), source));
                "250 kept"
            }
            "QUIT" => return,
            _ => "250 ok",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
    }
}
