//! The forms of a page as a browser would submit them, so that a test presses the buttons that are really there, with
//! the nonces that are really in them.

/// One `<form>`: where it goes, and every field with the value it would send.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    pub method: String,
    pub fields: Vec<(String, String)>,
}

impl Form {
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Types into a field, ticks a box or chooses an option; a name that the form lacks is added.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value.to_owned(),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }
}

/// Every form of a page, in order.
pub fn forms(html: &str) -> Vec<Form> {
    html.split("<form").skip(1).map(|rest| form(rest.split("</form>").next().unwrap_or(rest))).collect()
}

fn form(html: &str) -> Form {
    let (head, body) = html.split_once('>').unwrap_or((html, ""));
    let head = format!(" {head}");
    let mut fields = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = end_of_tag(rest);
        let tag = format!(" {}", rest[..end].replace(['\n', '\t'], " "));
        let after = rest.get(end + 1..).unwrap_or("");
        let name = attribute(&tag, "name").unwrap_or_default();
        let off = name.is_empty() || tag.contains(" disabled");
        if tag.starts_with(" input") && !off {
            let kind = attribute(&tag, "type").unwrap_or_default();
            let unticked = ["checkbox", "radio"].contains(&kind.as_str()) && !tag.contains(" checked");
            if !unticked && kind != "submit" {
                fields.push((name, attribute(&tag, "value").unwrap_or_default()));
            }
        } else if tag.starts_with(" textarea") && !off {
            let text = after.split("</textarea>").next().unwrap_or("");
            // A browser sends line ends as CR LF, and drops the first one.
            let text = text.strip_prefix('\n').unwrap_or(text).replace("\r\n", "\n").replace('\n', "\r\n");
            fields.push((name, unescape(&text)));
        } else if tag.starts_with(" select") && !off {
            let options = after.split("</select>").next().unwrap_or("");
            fields.push((name, chosen(options)));
        }
        rest = after;
    }
    Form {
        action: attribute(&head, "action").unwrap_or_default(),
        method: attribute(&head, "method").unwrap_or_else(|| "get".to_owned()),
        fields,
    }
}

fn chosen(options: &str) -> String {
    let tags: Vec<String> =
        options.split("<option").skip(1).map(|rest| format!(" {}", &rest[..end_of_tag(rest)])).collect();
    let one = tags.iter().find(|tag| tag.contains(" selected")).or_else(|| tags.first());
    one.and_then(|tag| attribute(tag, "value")).unwrap_or_default()
}

/// The end of a tag; a `>` inside a quoted value does not end it.
fn end_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    text.len()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    ['"', '\''].iter().find_map(|quote| {
        let (_, rest) = tag.split_once(&format!(" {name}={quote}"))?;
        rest.split(*quote).next().map(unescape)
    })
}

/// Text as a browser shows it.
pub fn unescape(text: &str) -> String {
    let text = text.replace("&quot;", "\"").replace("&#039;", "'").replace("&#8217;", "’").replace("&#8211;", "–");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&#038;", "&").replace("&amp;", "&")
}
