//! The notice of Personal Data Protection Act §8 (個人資料告知事項), one file for each language.
//!
//! A notice holds headings (`#`, `##`), paragraphs and lists (`- `) only. There is no way to write markup into it, so it
//! can be shown anywhere.

use std::fmt::Write as _;

use civic::Language;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::folder::TextFile;
use rules::Mistake;

/// A notice in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The language it is written in.
    pub language: Language,
    /// SHA-256 of the file, hex: which text a person agreed to.
    pub digest: String,
    /// What it says, in order.
    pub blocks: Vec<Block>,
}

/// A part of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A heading; level 1 is the title.
    Heading {
        /// 1 to 3.
        level: u8,
        /// Its text.
        text: String,
    },
    /// A paragraph.
    Paragraph(String),
    /// A list.
    List(Vec<String>),
}

impl Notice {
    /// Reads a notice.
    pub(crate) fn read(file: &TextFile, language: Language) -> Result<Self, Vec<Mistake>> {
        let mut blocks = Vec::new();
        let mut mistakes = Vec::new();
        // whether the next plain line goes on with the last block
        let mut open = false;
        for (number, line) in file.text.lines().enumerate() {
            let at = |message: &str, suggestion: &str| {
                crate::folder::mistake(
                    &file.name,
                    number + 1,
                    1,
                    message.to_owned(),
                    Some(suggestion.to_owned()),
                )
            };
            let text = line.trim();
            if text.is_empty() {
                open = false;
            } else if text.starts_with('#') {
                let level = text.chars().take_while(|c| *c == '#').count();
                let title = text.trim_start_matches('#').trim();
                if level > 3 || title.is_empty() {
                    mistakes.push(at(
                        "this heading can't be read",
                        "write one to three `#`, a space and its text",
                    ));
                }
                blocks.push(Block::Heading {
                    level: u8::try_from(level.min(3)).unwrap_or(3),
                    text: title.to_owned(),
                });
                open = false;
            } else if let Some(item) = text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")) {
                match blocks.last_mut() {
                    Some(Block::List(items)) if open => items.push(item.trim().to_owned()),
                    _ => blocks.push(Block::List(vec![item.trim().to_owned()])),
                }
                open = true;
            } else {
                if text.contains("](") || text.starts_with("```") || text.starts_with('|') || text.starts_with('>') {
                    mistakes.push(at(
                        "a notice holds headings, paragraphs and lists only",
                        "write it as plain text",
                    ));
                }
                match blocks.last_mut() {
                    Some(Block::Paragraph(paragraph)) if open => go_on(paragraph, text),
                    Some(Block::List(items)) if open => match items.last_mut() {
                        Some(item) => go_on(item, text),
                        None => items.push(text.to_owned()),
                    },
                    _ => blocks.push(Block::Paragraph(text.to_owned())),
                }
                open = true;
            }
        }
        if !matches!(blocks.first(), Some(Block::Heading { level: 1, .. })) {
            let message = "a notice begins with its title".to_owned();
            mistakes.push(crate::folder::mistake(
                &file.name,
                1,
                1,
                message,
                Some("write `# ` and the title in the first line".to_owned()),
            ));
        }
        let digest = hex::encode(Sha256::digest(file.text.as_bytes()));
        if mistakes.is_empty() {
            Ok(Self {
                language,
                digest,
                blocks,
            })
        } else {
            Err(mistakes)
        }
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> &str {
        match self.blocks.first() {
            Some(Block::Heading { text, .. }) => text,
            _ => "",
        }
    }

    /// The notice as HTML, without its title; `top` is the level of its first headings, such as 2. Every text is escaped.
    #[must_use]
    pub fn html(&self, top: u8) -> String {
        let mut html = String::new();
        for block in self.blocks.iter().skip(1) {
            // writing to a string can't fail
            let _ = match block {
                Block::Heading { level, text } => {
                    let level = (top.max(1) + level.saturating_sub(2)).min(6);
                    writeln!(html, "<h{level}>{}</h{level}>", escape(text))
                }
                Block::Paragraph(text) => writeln!(html, "<p>{}</p>", escape(text)),
                Block::List(items) => {
                    let items: String = items.iter().map(|item| format!("<li>{}</li>", escape(item))).collect();
                    writeln!(html, "<ul>{items}</ul>")
                }
            };
        }
        html
    }
}

/// Joins a broken line; between two Chinese characters there is no space.
fn go_on(text: &mut String, more: &str) {
    let wide = |c: char| ('\u{2e80}'..='\u{9fff}').contains(&c) || ('\u{ff00}'..='\u{ffef}').contains(&c);
    if !(text.chars().next_back().is_some_and(wide) && more.chars().next().is_some_and(wide)) {
        text.push(' ');
    }
    text.push_str(more);
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use civic::Language;

    use super::{Block, Notice};
    use crate::folder::TextFile;

    fn read(text: &str) -> Result<Notice, Vec<rules::Mistake>> {
        Notice::read(
            &TextFile {
                name: "notice.en.md".into(),
                text: text.into(),
            },
            Language::En,
        )
    }

    #[test]
    fn blocks_are_read_in_order() {
        let notice =
            read("# Title\n\nOne line\nand the next.\n\n## Part\n- a\n- b\n  more\n\n第一行\n第二行\n").unwrap();
        assert_eq!(notice.title(), "Title");
        assert_eq!(
            notice.blocks.get(1..).unwrap(),
            [
                Block::Paragraph("One line and the next.".into()),
                Block::Heading {
                    level: 2,
                    text: "Part".into()
                },
                Block::List(vec!["a".into(), "b more".into()]),
                Block::Paragraph("第一行第二行".into()),
            ]
        );
    }

    #[test]
    fn nothing_in_a_notice_becomes_markup() {
        let notice = read("# T\n\n<script>alert('1')</script> & \"x\"\n\n## <b>\n- <img src=x onerror=y>\n").unwrap();
        let html = notice.html(2);
        assert_eq!(
            html,
            "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;</p>\n<h2>&lt;b&gt;</h2>\n<ul><li>&lt;img src=x onerror=y&gt;</li></ul>\n"
        );
    }

    #[test]
    fn a_notice_without_title_or_with_a_link_is_refused() {
        assert_eq!(read("text\n").unwrap_err().len(), 1);
        let mistakes = read("# T\n\n[here](javascript:x)\n").unwrap_err();
        assert_eq!(mistakes.first().map(|mistake| mistake.line), Some(3));
    }

    #[test]
    fn the_digest_tells_two_texts_apart() {
        assert_ne!(read("# T\n").unwrap().digest, read("# T \n").unwrap().digest);
    }
}
