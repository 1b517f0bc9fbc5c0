//! The shell of the peers' pages: plain, readable on a phone, clearly not the city's.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;font:1.05rem/1.7 'Noto Sans TC','PingFang TC','Microsoft JhengHei',sans-serif;background:#fff;color:#16202c}\
header{background:#3d2a5c;color:#fff;padding:.8rem 1rem}header p{margin:0 auto;max-width:44rem}\
main{max-width:44rem;margin:0 auto;padding:1rem}h1{font-size:1.5rem;line-height:1.35}\
label,legend{font-weight:600}fieldset{border:0;margin:0 0 1rem;padding:0}\
.choice{display:flex;gap:.7rem;align-items:flex-start;padding:.7rem;border:1px solid #7d8794;border-radius:.4rem;margin:.5rem 0}\
.choice input{width:1.5rem;height:1.5rem;margin-top:.2rem}.choice span{display:block;font-weight:400}\
input[type=text],input[type=file]{font:inherit;padding:.5rem;max-width:100%;box-sizing:border-box;border:2px solid #4a5564;border-radius:.3rem}\
button{font:inherit;font-weight:600;min-height:44px;padding:.4rem 1.4rem;border:0;border-radius:.3rem;background:#3d2a5c;color:#fff;margin:.4rem .6rem .4rem 0}\
button.second{background:#fff;color:#3d2a5c;border:2px solid #3d2a5c}\
:focus-visible{outline:3px solid #b35900;outline-offset:2px}a{color:#3d2a5c}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.5rem;border-bottom:1px solid #b9c0c9;vertical-align:top}\
pre{white-space:pre-wrap;word-break:break-word;font:inherit}.error{border-left:5px solid #b3261e;padding-left:.8rem}\
@media(prefers-color-scheme:dark){body{background:#14171c;color:#eceff3}a{color:#cbb8ff}button.second{background:#14171c;color:#cbb8ff;border-color:#cbb8ff}}";

/// Text for HTML content and attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A page. `who` is whose page it is, `title` its heading, `body` finished HTML.
pub fn page(status: StatusCode, who: &str, title: &str, body: &str) -> Response {
    let html = format!(
        "<!DOCTYPE html><html lang=\"zh-Hant-TW\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title} - {who}</title><style>{STYLE}</style></head><body><header><p>{who}</p></header><main><h1>{title}</h1>{body}</main></body></html>",
        who = escape(who),
        title = escape(title),
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    response
}
