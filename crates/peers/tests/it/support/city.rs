//! A city that takes notifications and answers them as a test wants.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use url::Url;

struct Taken {
    notices: Mutex<Vec<(HeaderMap, Value)>>,
    answer: Mutex<u16>,
    /// A permit for each answer that may be given.
    gate: Semaphore,
}

pub struct City {
    address: Url,
    taken: Arc<Taken>,
}

const OPEN: usize = 1_000;

impl City {
    pub async fn open() -> City {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let taken = Arc::new(Taken {
            notices: Mutex::default(),
            answer: Mutex::new(200),
            gate: Semaphore::new(OPEN),
        });
        let router = Router::new()
            .route("/mydata/notify", post(notified))
            .with_state(Arc::clone(&taken));
        tokio::spawn(async move { axum::serve(listener, router).await });
        City { address, taken }
    }

    pub fn at(&self, path: &str) -> Url {
        self.address.join(path).unwrap()
    }

    /// Answers notifications with this status from now on.
    pub fn answer(&self, status: u16) {
        *self.taken.answer.lock().unwrap() = status;
    }

    /// Takes notifications, but answers none until [`City::release`].
    pub fn hold(&self) {
        self.taken.gate.forget_permits(OPEN);
    }

    pub fn release(&self) {
        self.taken.gate.add_permits(OPEN);
    }

    /// The notifications so far.
    pub fn notices(&self) -> Vec<Value> {
        let notices = self.taken.notices.lock().unwrap();
        notices.iter().map(|(_, notice)| notice.clone()).collect()
    }

    pub fn headers(&self) -> HeaderMap {
        self.taken.notices.lock().unwrap().last().unwrap().0.clone()
    }

    /// Waits until so many notifications are here.
    pub async fn wait_for(&self, count: usize) {
        for _ in 0..500 {
            if self.notices().len() >= count {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no notification came");
    }
}

async fn notified(State(taken): State<Arc<Taken>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let notice = serde_json::from_slice(&body).unwrap();
    taken.notices.lock().unwrap().push((headers, notice));
    let _permit = taken.gate.acquire().await.unwrap();
    StatusCode::from_u16(*taken.answer.lock().unwrap()).unwrap()
}
