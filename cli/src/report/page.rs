//! `index.html`: one page with everything in it.
//!
//! Invariant: the page loads nothing; every text from outside is escaped.
//! Source: the HTML standard; `prefers-color-scheme` of Media Queries 5.

use wengert::report::RULE_COSTS;

use super::figures::Figure;
use crate::error::CliError;
use crate::output::Table;

/// A part of the page.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) figures: Vec<Figure>,
    pub(super) tables: Vec<(String, Table)>,
}

impl Section {
    pub(super) fn new(title: &str, text: &str) -> Self {
        Self {
            title: title.into(),
            text: text.into(),
            figures: Vec::new(),
            tables: Vec::new(),
        }
    }
}

/// The text of the page.
pub(super) fn page(
    title: &str,
    introduction: &str,
    sections: &[Section],
) -> Result<String, CliError> {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n<style>\n{1}</style></head>\n<body><main>\n\
         <h1>{0}</h1>\n<p>{2}</p>\n<nav>\n",
        escape(title),
        include_str!("page.css"),
        escape(introduction)
    );
    for (index, section) in sections.iter().enumerate() {
        html.push_str(&format!(
            "<a href=\"#part-{index}\">{}</a>\n",
            escape(&section.title)
        ));
    }
    html.push_str("</nav>\n");
    for (index, section) in sections.iter().enumerate() {
        html.push_str(&format!(
            "<section id=\"part-{index}\"><h2>{}</h2>\n<p>{}</p>\n",
            escape(&section.title),
            escape(&section.text)
        ));
        for figure in &section.figures {
            html.push_str(&self::figure(figure)?);
        }
        for (title, table) in &section.tables {
            html.push_str(&format!(
                "<details><summary>{}</summary><div class=\"table\">{}</div></details>\n",
                escape(title),
                self::table(table)
            ));
        }
        html.push_str("</section>\n");
    }
    html.push_str(&format!(
        "</main>\n<script>\n{}</script>\n</body></html>\n",
        include_str!("page.js")
    ));
    Ok(html)
}

fn figure(figure: &Figure) -> Result<String, CliError> {
    let mut html = format!("<figure id=\"{}\">\n", escape(&figure.id));
    let svg = figure.svg()?;
    // The name is for those who cannot see the picture.
    let svg = svg.replacen(
        "<svg ",
        &format!(
            "<svg role=\"img\" aria-label=\"{}\" ",
            escape(&figure.title)
        ),
        1,
    );
    html.push_str(&format!("<div class=\"picture\">{svg}</div>\n"));
    if let Some(steps) = &figure.steps {
        let last = steps.captions.len().saturating_sub(1);
        // `</` would end the script.
        let data = serde_json::to_string(steps)
            .map_err(std::io::Error::from)?
            .replace("</", "<\\/");
        html.push_str(&format!(
            "<div class=\"steps\"><button class=\"back\" type=\"button\">back</button>\
             <input type=\"range\" min=\"0\" max=\"{last}\" value=\"0\" aria-label=\"step\">\
             <button class=\"next\" type=\"button\">next</button><output></output>\
             <script type=\"application/json\">{data}</script></div>\n"
        ));
    }
    let id = escape(&figure.id);
    html.push_str(&format!(
        "<figcaption>{} <a href=\"{id}.svg\">SVG</a>, <a href=\"{id}.png\">PNG</a>, <a href=\"{id}.csv\">data</a></figcaption>\n</figure>\n",
        escape(&figure.caption)
    ));
    Ok(html)
}

fn table(table: &Table) -> String {
    let mut html = String::from("<table>");
    for (index, row) in table.rows().iter().enumerate() {
        let tag = if index == 0 { "th" } else { "td" };
        let cells: Vec<String> = row
            .iter()
            .map(|cell| format!("<{tag}>{}</{tag}>", escape(cell)))
            .collect();
        html.push_str(&format!("<tr>{}</tr>\n", cells.join("")));
    }
    html + "</table>"
}

/// What every operation costs, with the bounds that follow.
pub(super) fn guarantees() -> Section {
    let mut section = Section::new(
        "Guarantees",
        "Counted before any simplification with generic seeds, the value included: of functions made of additions, subtractions and \
         multiplications, a tangent takes at most 4 times the operations of the function, a gradient 5 times, a product with the \
         Hessian 16 times; 3, 3 and 9 times where a product and the addition it belongs to count as one, which \
         Speelpenning's product attains. With quotients 4, 5 and 16 hold for tangents and for all derivatives of recorded programs, \
         which divide once per direction. The tape keeps partials, and those of a quotient are computed such that they do not \
         overflow early: its sweep takes 8 and, with tangents, 26. For the tape and all other operations the table tells the cost of the rule. \
         An addition per argument (two for the Hessian) comes on top where adjoints meet. Tests count all of this again.",
    );
    let mut table = Table::new(
        &[
            "operation",
            "arguments",
            "value",
            "tangent",
            "sweep",
            "Hessian product",
        ],
        1,
    );
    for rule in RULE_COSTS {
        let counts = [rule.value, rule.jvp, rule.vjp, rule.hvp].map(|count| count.to_string());
        let mut row = vec![rule.operation.to_string(), rule.arguments.to_string()];
        row.extend(counts);
        table.push(row);
    }
    section
        .tables
        .push(("Operations of every rule".into(), table));
    section
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::DARK;

    #[test]
    fn the_page_loads_nothing_and_escapes() {
        let html = page("a <b>", "c & d", &[guarantees()]).unwrap();
        assert!(html.contains("<h1>a &lt;b&gt;</h1>") && html.contains("c &amp; d"));
        for loading in ["src=", "href=\"http", "@import", "url(", "fetch("] {
            assert!(!html.contains(loading), "{loading}");
        }
        assert!(html.contains("<td>sin</td>") && html.contains("prefers-color-scheme:dark"));
    }

    /// The style sheet names the colours that the pictures use.
    #[test]
    fn colours_of_paper_and_ink_follow_the_scheme() {
        let css = include_str!("page.css");
        for (color, dark) in DARK {
            assert!(
                css.contains(&format!("[fill=\"{}\"]", color.hex())),
                "{color:?}"
            );
            assert!(css.contains(dark), "{color:?}");
        }
    }
}
