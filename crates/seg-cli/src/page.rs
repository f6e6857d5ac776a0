//! Pages of the documentation, for reading on a terminal.

use clap::builder::styling::Style;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// Longer lines are hard to read; code and output keep theirs.
const WIDTH: usize = 80;

/// A page without its Markdown: headings stand out where there is colour, code and
/// output are indented, paragraphs are wrapped.
pub fn for_terminal(markdown: &str, has_color: bool) -> String {
    let mut page = Page { heading: if has_color { Style::new().bold() } else { Style::new() }, ..Page::default() };
    for event in Parser::new(markdown) {
        page.add(event);
    }
    page.out
}

#[derive(Default)]
struct Page {
    out: String,
    heading: Style,
    /// The text of the paragraph, heading or code that is being read.
    text: String,
    /// How deep in lists that is.
    depth: usize,
    /// Whether it is the first of a point of a list.
    is_point: bool,
    /// Whether the block before is a point of a list.
    is_behind_point: bool,
}

impl Page {
    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(code) => {
                self.text.push('`');
                self.text.push_str(&code);
                self.text.push('`');
            }
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::Start(Tag::List(_)) => {
                self.paragraph();
                self.depth += 1;
            }
            Event::Start(Tag::Item) => self.is_point = true,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented)) => self.paragraph(),
            Event::End(TagEnd::Heading(_)) => {
                let heading = std::mem::take(&mut self.text);
                self.block(&format!("{}{heading}{:#}\n", self.heading, self.heading));
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item) => self.paragraph(),
            Event::End(TagEnd::List(_)) => self.depth = self.depth.saturating_sub(1),
            Event::End(TagEnd::CodeBlock) => {
                let code = std::mem::take(&mut self.text);
                self.block(&textwrap::indent(&code, "    "));
            }
            // Marks of the documentation's generator say nothing to a reader, and
            // emphasis and links are their texts.
            _ => {}
        }
    }

    /// Ends a paragraph, if there is one.
    fn paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        let indent = "  ".repeat(self.depth);
        let first =
            if self.is_point { format!("{}- ", "  ".repeat(self.depth.saturating_sub(1))) } else { indent.clone() };
        let options = textwrap::Options::new(WIDTH).initial_indent(&first).subsequent_indent(&indent);
        let lines = format!("{}\n", textwrap::fill(text.trim(), options));
        // The points of a list stand together.
        let is_point = std::mem::take(&mut self.is_point);
        match is_point && self.is_behind_point {
            true => self.out.push_str(&lines),
            false => self.block(&lines),
        }
        self.is_behind_point = is_point;
    }

    /// A block, with an empty line before it.
    fn block(&mut self, lines: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.is_behind_point = false;
        self.out.push_str(lines);
    }
}

#[cfg(test)]
mod tests {
    use super::for_terminal;

    #[test]
    fn a_page_is_text() {
        let markdown = "# E1: A *title*\n\nA `code` and [a link](x.md), in a paragraph that is longer than one line of \
                        a terminal.\n\n```seg error\nsegment \"x\"\n\n    include people\n```\n\n<!-- output -->\n\n- one\n- \
                        two\n\nEnd.\n";
        insta::assert_snapshot!(for_terminal(markdown, false), @r#"
        E1: A title

        A `code` and a link, in a paragraph that is longer than one line of a terminal.

            segment "x"

                include people

        - one
        - two

        End.
        "#);
        assert!(for_terminal(markdown, true).starts_with("\u{1b}[1mE1: A title\u{1b}[0m\n"));
    }
}
