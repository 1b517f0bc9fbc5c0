//! The citizen fetches own data of the city: who they are, which data set, with which parameters, and what came.

use super::Shared;
use super::provider::{self, Called};
use crate::html::{escape, page};
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Arc;
use uuid::Uuid;

const WHO: &str = "示範個人化資料自主運用平臺 Demonstration MyData";
/// Ways of verification: what the form says, the platform's word, what it is called.
const WAYS: [(&str, &str, &str); 4] = [
    ("cer", "CER", "自然人憑證 Certificate"),
    ("tfd", "TFD", "行動自然人憑證 TW FidO"),
    ("nhi", "NHI", "健保卡 Health card"),
    ("pii", "PII", "雙證件 Two documents"),
];

type App = State<Arc<Shared>>;
type Typed = Form<HashMap<String, String>>;

fn way(form: &HashMap<String, String>) -> &'static str {
    let typed = form.get("way").map(String::as_str).unwrap_or_default();
    WAYS.iter()
        .find(|(name, ..)| *name == typed)
        .map_or("PII", |(_, word, _)| word)
}

fn person(form: &HashMap<String, String>) -> String {
    form.get("pid")
        .map(|text| text.trim().to_uppercase())
        .unwrap_or_default()
}

/// `GET /data`: who are you.
pub async fn begin() -> Response {
    let mut body = String::from(
        "<p>把政府機關保管的您的資料下載給自己看。這裡代替 MyData 的身分驗證。</p><p lang=\"en\">See what agencies keep of you.</p>\
         <form method=\"post\" action=\"/data\"><p><label for=\"pid\">統一編號 National id</label><br>\
         <input type=\"text\" id=\"pid\" name=\"pid\" maxlength=\"10\" autocomplete=\"off\"></p><fieldset><legend>驗證方式 Verified by</legend>",
    );
    for (name, _, title) in WAYS {
        let checked = if name == "nhi" { " checked" } else { "" };
        let _ = write!(
            body,
            "<label class=\"choice\"><input type=\"radio\" name=\"way\" value=\"{name}\"{checked}><span>{title}</span></label>"
        );
    }
    body.push_str("</fieldset><button>驗證身分 Verify</button></form>");
    page(StatusCode::OK, WHO, "我的資料 My data", &body)
}

/// `POST /data`: which data set.
pub async fn choose(State(shared): App, Form(form): Typed) -> Response {
    let pid = person(&form);
    if shared.population.find(&pid).is_none() {
        return page(
            StatusCode::NOT_FOUND,
            WHO,
            "沒有驗證成功",
            "<p class=\"error\">請輸入正確的統一編號。</p><p><a href=\"/data\">再試一次 Try again</a></p>",
        );
    }
    let way = form.get("way").map(String::as_str).unwrap_or_default();
    let mut body = String::new();
    for set in &shared.offered {
        let _ = write!(
            body,
            "<form method=\"post\" action=\"/data/fetch\"><h2>{}</h2><input type=\"hidden\" name=\"pid\" value=\"{}\">\
             <input type=\"hidden\" name=\"way\" value=\"{}\"><input type=\"hidden\" name=\"resource\" value=\"{}\">",
            escape(&set.title),
            escape(&pid),
            escape(way),
            escape(&set.resource_id)
        );
        for (name, title) in &set.parameters {
            let field = format!("{}-{name}", set.resource_id);
            let _ = write!(
                body,
                "<p><label for=\"{field}\">{}</label><br><input type=\"text\" id=\"{field}\" name=\"_{}\" autocomplete=\"off\"></p>",
                escape(title),
                escape(name),
            );
        }
        let _ = write!(
            body,
            "<button>同意並下載「{}」 Agree and fetch</button></form>",
            escape(&set.title)
        );
    }
    page(StatusCode::OK, WHO, "選擇資料 Choose", &body)
}

/// `POST /data/fetch`: the platform calls the city.
pub async fn fetch(State(shared): App, Form(form): Typed) -> Response {
    let pid = person(&form);
    let wanted = form.get("resource").map(String::as_str).unwrap_or_default();
    let set = shared.offered.iter().find(|set| set.resource_id == wanted);
    let (Some(set), Some(_)) = (set, shared.population.find(&pid)) else {
        return page(
            StatusCode::NOT_FOUND,
            WHO,
            "沒有這項資料",
            "<p><a href=\"/data\">回到開頭 Back</a></p>",
        );
    };
    let parameters: BTreeMap<String, String> = set
        .parameters
        .iter()
        .filter_map(|(name, _)| {
            let value = form.get(&format!("_{name}"))?.trim();
            (!value.is_empty()).then(|| (name.clone(), value.to_owned()))
        })
        .collect();
    shown(provider::begin(&shared, &pid, set, way(&form), parameters).await)
}

/// `POST /data/again`: the platform calls the city again.
pub async fn again(State(shared): App, Form(form): Typed) -> Response {
    let transaction = form.get("transaction").and_then(|text| Uuid::parse_str(text).ok());
    shown(provider::go_on(&shared, transaction.unwrap_or_default()).await)
}

fn shown(called: Called) -> Response {
    match called {
        Called::Nothing => page(
            StatusCode::OK,
            WHO,
            "查無資料 Nothing",
            "<p>市府沒有您的這項資料。</p><p lang=\"en\">The city has nothing of this kind about you.</p>",
        ),
        Called::Later(transaction, seconds) => page(
            StatusCode::OK,
            WHO,
            "資料準備中 Being prepared",
            &format!(
                "<p>市府正在準備，約 {seconds} 秒後可以再取。</p><p lang=\"en\">Ready in about {seconds} seconds.</p>\
                 <form method=\"post\" action=\"/data/again\"><input type=\"hidden\" name=\"transaction\" value=\"{transaction}\">\
                 <button>再取一次 Fetch again</button></form>"
            ),
        ),
        Called::Failed(why) => page(
            StatusCode::BAD_GATEWAY,
            WHO,
            "沒有取得資料 Not fetched",
            &format!(
                "<p class=\"error\">{}</p><p><a href=\"/data\">回到開頭 Back</a></p>",
                escape(&why)
            ),
        ),
        Called::Data(files) => {
            let mut body = String::from("<p>簽章和憑證都正確。 The signature and the certificate hold.</p>");
            for (name, content) in &files {
                let _ = write!(body, "<h2>{}</h2>", escape(name));
                match serde_json::from_slice::<Value>(content) {
                    Ok(value) => {
                        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
                        let _ = write!(body, "<pre>{}</pre>", escape(&text));
                    }
                    Err(_) => body.push_str("<p>不是 JSON。</p>"),
                }
            }
            page(StatusCode::OK, WHO, "您的資料 Your data", &body)
        }
    }
}
