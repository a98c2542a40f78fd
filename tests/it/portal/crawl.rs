//! Follows every link of the portal and tries every form, without a browser, and checks the rules
//! of all pages.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use reqwest::Response;
use reqwest::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use scraper::{ElementRef, Html, Selector};
use url::Url;
use url::form_urlencoded::Serializer;
use uuid::Uuid;
use webhook_tests::{PAGES, Page, Showcase, Viewer, Visitor};

/// The largest number of pages of a shape to be read.
const OF_A_SHAPE: usize = 2;

/// A page that waits for a dispatcher. The showcase has no dispatcher: a single page of the shape
/// is read.
const WAITS: &str = "/admin/webhooks/{id}/diagnosis";

/// The largest size of a page with scripts and styles, compressed, in bytes.
const MAX_PAGE_BYTES: usize = 100_000;

/// The text of the refusal of a form with the token of another session.
const STRANGE: &str = "The form is not of this session";

/// The pages, forms and faults found so far.
#[derive(Default)]
struct Crawl {
    /// Pages still to be read, each with a linking page.
    open: Vec<(String, String)>,
    seen: BTreeSet<String>,
    shapes: BTreeMap<String, usize>,
    /// A form for each shape of an action, with the page of the form.
    forms: BTreeMap<String, PostForm>,
    /// The compressed size of each script and style, in bytes.
    assets: HashMap<String, usize>,
    wrong: Vec<String>,
}

struct PostForm {
    page: String,
    action: String,
    fields: Vec<(String, String)>,
}

impl Crawl {
    /// Reads every page within reach of `pages`.
    async fn from(pages: &[String], visitor: &Visitor) -> Self {
        let mut crawl = Self::default();
        for page in pages {
            crawl.seen.insert(page.clone());
            crawl.open.push((page.clone(), "the start".to_owned()));
        }
        while let Some((path, from)) = crawl.open.pop() {
            let answer = visitor.get(&path).await;
            if answer.status() != 200 {
                let status = answer.status();
                crawl.refuse(&path, &format!("{status}, linked from {from}"));
                continue;
            }
            crawl.look(visitor, &path, answer).await;
        }
        crawl
    }

    fn refuse(&mut self, page: &str, why: &str) {
        self.wrong.push(format!("{page}: {why}"));
    }

    /// Remembers a page to be read unless enough pages of the shape were.
    fn follow(&mut self, path: &str, from: &str) {
        let shape = shape_of(path);
        let most = if shape == WAITS { 1 } else { OF_A_SHAPE };
        let count = self.shapes.entry(shape).or_default();
        if *count < most && self.seen.insert(path.to_owned()) {
            *count += 1;
            self.open.push((path.to_owned(), from.to_owned()));
        }
    }

    async fn look(&mut self, visitor: &Visitor, path: &str, answer: Response) {
        let header = |name| {
            answer
                .headers()
                .get(name)
                .map_or(&b""[..], HeaderValue::as_bytes)
        };
        if header(X_CONTENT_TYPE_OPTIONS) != b"nosniff" {
            self.refuse(path, "its type may be guessed");
        }
        // A download is no page.
        if header(CONTENT_DISPOSITION).starts_with(b"attachment") {
            return;
        }
        let has_policy = header(CONTENT_SECURITY_POLICY).starts_with(b"default-src 'none';");
        if !has_policy {
            self.refuse(path, "no Content-Security-Policy");
        }
        let here = answer.url().clone();
        let html = answer.text().await.expect("text");
        // Parsed HTML is not `Send` and must be gone before the next await.
        let parts = {
            let html = Html::parse_document(&html);
            self.check_elements(path, &html);
            self.check_links(path, &here, &html);
            self.check_forms(path, &here, &html);
            assets_of(&html)
        };
        let weight = self.weigh(visitor, path, parts).await;
        if weight > MAX_PAGE_BYTES {
            self.refuse(
                path,
                &format!("{weight} bytes, its scripts and styles included"),
            );
        }
    }

    /// Refuses inline scripts and styles, and files from other origins.
    fn check_elements(&mut self, path: &str, html: &Html) {
        for element in select(html, "*") {
            let (name, value) = (element.value().name(), element.value());
            if name == "style" || (name == "script" && value.attr("src").is_none()) {
                self.refuse(path, &format!("inline <{name}>"));
            }
            for (attribute, text) in value.attrs() {
                if attribute == "style" || attribute.starts_with("on") {
                    self.refuse(path, &format!("<{name} {attribute}={text:?}>"));
                }
                let loads = attribute == "src" || (attribute == "href" && name == "link");
                if loads && !text.starts_with("/admin/assets/") {
                    self.refuse(path, &format!("loads {text}"));
                }
            }
        }
    }

    fn check_links(&mut self, path: &str, here: &Url, html: &Html) {
        for link in select(html, "a[href]") {
            let href = link.attr("href").unwrap_or_default();
            let Ok(to) = here.join(href) else {
                self.refuse(path, &format!("no address: {href}"));
                continue;
            };
            if let Some(id) = href.strip_prefix('#')
                && !select(html, "[id]").any(|target| target.attr("id") == Some(id))
            {
                self.refuse(path, &format!("leads to nothing: {href}"));
            }
            if to.origin() == here.origin() && to.path().starts_with("/admin") {
                let query = to.query().map(|query| format!("?{query}"));
                let to = format!("{}{}", to.path(), query.unwrap_or_default());
                self.follow(&to, path);
            }
        }
    }

    fn check_forms(&mut self, path: &str, here: &Url, html: &Html) {
        for form in select(html, "form") {
            let is_post = form
                .attr("method")
                .is_some_and(|m| m.eq_ignore_ascii_case("post"));
            let hidden: Vec<(String, String)> = fields_of(form);
            let token = hidden.iter().find(|(name, _)| name == "csrf");
            let token = token.map(|(_, value)| value.as_str()).unwrap_or_default();
            if is_post == token.is_empty() {
                self.refuse(
                    path,
                    if is_post {
                        "a form without a token"
                    } else {
                        "a token in an address"
                    },
                );
            }
            let buttons = Selector::parse("[formaction]").expect("a selector");
            let others = form
                .select(&buttons)
                .filter_map(|button| button.attr("formaction"));
            let actions = [form.attr("action").unwrap_or_default()];
            for action in actions.into_iter().chain(others).filter(|_| is_post) {
                let action = here.join(action).expect("an address");
                let action = match action.query() {
                    Some(query) => format!("{}?{query}", action.path()),
                    None => action.path().to_owned(),
                };
                let fields = hidden.iter().filter(|(name, _)| name != "csrf").cloned();
                self.forms
                    .entry(shape_of(&action))
                    .or_insert_with(|| PostForm {
                        page: path.to_owned(),
                        fields: fields.collect(),
                        action,
                    });
            }
        }
    }

    /// Sends each form with the token of another session, and refuses a form that takes the token.
    async fn try_forms_with_a_strange_token(&mut self, visitor: &Visitor) {
        for form in std::mem::take(&mut self.forms).into_values() {
            let mut fields = Serializer::new(String::new());
            fields
                .extend_pairs(&form.fields)
                .append_pair("csrf", "of-another-session");
            let answer = visitor.post(&form.action, fields.finish()).await;
            let (status, body) = (answer.status(), answer.text().await.expect("text"));
            if status != 403 || !body.contains(STRANGE) {
                let taken = format!("{} took a wrong token: {status}", form.action);
                self.refuse(&form.page, &taken);
            }
        }
    }

    /// The compressed size of a page with all loaded files, in bytes.
    async fn weigh(&mut self, visitor: &Visitor, path: &str, mut parts: Vec<String>) -> usize {
        let mut weight = visitor.bytes(path).await;
        let mut counted = BTreeSet::new();
        while let Some(part) = parts.pop() {
            if !counted.insert(part.clone()) {
                continue;
            }
            if part.ends_with(".js") {
                parts.extend(self.imports_of(visitor, &part).await);
            }
            weight += match self.assets.get(&part) {
                Some(known) => *known,
                None => {
                    let bytes = visitor.bytes(&part).await;
                    self.assets.insert(part, bytes);
                    bytes
                }
            };
        }
        weight
    }

    /// The modules imported by a script.
    async fn imports_of(&mut self, visitor: &Visitor, script: &str) -> Vec<String> {
        let answer = visitor.get(script).await;
        if answer.status() != 200 {
            self.refuse(script, answer.status().as_str());
        }
        let text = answer.text().await.expect("text");
        let folder = script.rsplit_once('/').map_or("", |(folder, _)| folder);
        let quoted = text
            .split(['"', '\''])
            .filter_map(|part| part.strip_prefix("./"));
        quoted.map(|name| format!("{folder}/{name}")).collect()
    }
}

fn select<'a>(html: &'a Html, css: &str) -> impl Iterator<Item = ElementRef<'a>> {
    let selector = Selector::parse(css).expect("a selector");
    html.select(&selector).collect::<Vec<_>>().into_iter()
}

/// The hidden and preset fields of a form.
fn fields_of(form: ElementRef<'_>) -> Vec<(String, String)> {
    let hidden = Selector::parse("input[type=hidden]").expect("a selector");
    let fields = form.select(&hidden).map(|field| {
        let text = |name| field.attr(name).unwrap_or_default().to_owned();
        (text("name"), text("value"))
    });
    fields.collect()
}

/// The files loaded by a page.
fn assets_of(html: &Html) -> Vec<String> {
    let loads = select(html, "link[href], script[src], img[src]");
    let paths = loads.filter_map(|element| element.attr("src").or(element.attr("href")));
    paths.map(ToOwned::to_owned).collect()
}

/// The shape of a path, shared by pages of the same kind: ids replaced, and of the query only the
/// names of the parameters.
fn shape_of(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts = path.split('/').map(|part| {
        let is_id = Uuid::try_parse(part).is_ok();
        if is_id { "{id}" } else { part }
    });
    let names: BTreeSet<&str> = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let path = parts.collect::<Vec<_>>().join("/");
    if query.is_empty() {
        return path;
    }
    format!("{path}?{}", names.join("&"))
}

/// The addresses of all pages for owners.
async fn owners_pages(showcase: &Showcase) -> Vec<String> {
    let of_owners = |page: &&Page| page.viewer == Viewer::Owner && page.status == 200;
    let mut pages = Vec::new();
    for page in PAGES.iter().filter(of_owners) {
        pages.push(showcase.path_of(page).await);
    }
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_leads_to_a_sound_page_and_every_form_checks_its_token() {
    let showcase = Showcase::new().await;
    let visitor = Visitor::sign_in(&showcase.api, &showcase.owner).await;
    let pages = owners_pages(&showcase).await;

    let mut crawl = Crawl::from(&pages, &visitor).await;
    crawl.try_forms_with_a_strange_token(&visitor).await;

    assert!(crawl.wrong.is_empty(), "{}", crawl.wrong.join("\n"));
    showcase.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_no_form_that_changes_something_and_no_link_that_is_refused() {
    let showcase = Showcase::new().await;
    let visitor = Visitor::sign_in(&showcase.api, &showcase.viewer).await;

    let crawl = Crawl::from(&["/admin/webhooks".to_owned()], &visitor).await;

    assert!(crawl.wrong.is_empty(), "{}", crawl.wrong.join("\n"));
    let actions: Vec<&String> = crawl.forms.keys().collect();
    assert_eq!(actions, ["/admin/sign-out"]);
    showcase.end().await;
}
