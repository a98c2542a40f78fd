mod driver;
mod xpath;

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use url::Url;

use crate::Service;
use driver::{Driver, Make};
use xpath::{labelled, quoted};

/// How long a wait for an element, a text or an address may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often a wait looks at the page.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A browser with a profile of its own, used as a person uses the portal: buttons and fields are found by
/// their words. The browser ends when the value is dropped.
pub struct Browser {
    client: Client,
    driver: Driver,
    portal: String,
}

/// Scrolls an element away from bars that stay at an edge of the screen.
const CENTER: &str = "arguments[0].scrollIntoView({block: 'center'})";

/// Waits for two frames, and for the end of the transitions that start with them: a page learns a new size or
/// theme when a frame is drawn, after the frame's callbacks, and colours may take half a second to change.
const DRAWN: &str = "
    const frame = () => new Promise(requestAnimationFrame);
    const transitions = () => document.getAnimations().filter(one => one instanceof CSSTransition);
    return frame().then(frame)
        .then(() => Promise.allSettled(transitions().map(one => one.finished)))
        .then(() => null)";

impl Browser {
    /// Opens a browser that runs no scripts of pages.
    pub async fn without_scripts(api: &Service) -> Self {
        let browser = Self::new(api).await;
        let scripts_off = "Emulation.setScriptExecutionDisabled";
        browser.tell(scripts_off, json!({"value": true})).await;
        browser
    }

    /// Opens Chromium for the portal of `api`.
    pub async fn new(api: &Service) -> Self {
        Self::of(Make::Chromium, api).await
    }

    /// Opens Firefox for the portal of `api`. The commands of Chromium's own protocol are not for Firefox: sizes,
    /// themes, pages without scripts.
    pub async fn firefox(api: &Service) -> Self {
        Self::of(Make::Firefox, api).await
    }

    async fn of(make: Make, api: &Service) -> Self {
        let driver = Driver::start(make).await;
        Self {
            client: driver.open(make).await,
            driver,
            portal: api.url.clone(),
        }
    }

    /// The lines that the browser and its driver wrote: in Firefox also the faults of pages.
    pub fn log(&self) -> Vec<String> {
        self.driver.log()
    }

    /// Opens a page of the portal.
    pub async fn open(&self, path: &str) {
        let url = format!("{}{path}", self.portal);
        self.client.goto(&url).await.expect("the page loads");
    }

    /// Reloads the page; a page that answered a form sends the form again.
    pub async fn reload(&self) {
        self.client.refresh().await.expect("the page loads");
    }

    /// Signs in with an API key and waits for the list of webhooks.
    pub async fn sign_in(&self, key: &str) {
        self.open("/admin/sign-in").await;
        self.fill("API key", key).await;
        self.press("Sign in").await;
        self.arrive("/admin/webhooks").await;
    }

    /// The path and query of the page.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("a page is open");
        let query = url.query().map(|query| format!("?{query}"));
        format!("{}{}", url.path(), query.unwrap_or_default())
    }

    /// The HTTP status of the page.
    pub async fn status(&self) -> u64 {
        let script = "return performance.getEntriesByType('navigation')[0].responseStatus";
        let status = self.run(script, vec![]).await;
        status.as_u64().expect("Chromium tells the status")
    }

    /// Waits until the page has this path and query.
    pub async fn arrive(&self, path: &str) {
        let arrived = async || Ok((self.path().await == path).then_some(()));
        self.eventually(&format!("the page {path}"), arrived).await;
    }

    /// Waits until the page shows `text`, and returns all of its text.
    pub async fn see(&self, text: &str) -> String {
        let said = async || {
            let body = self.client.find(Locator::Css("body")).await?;
            let said = in_one_line(&body.text().await?);
            Ok(said.contains(text).then_some(said))
        };
        self.eventually(&format!("“{text}”"), said).await
    }

    /// Whether the page shows `text` now.
    pub async fn says(&self, text: &str) -> bool {
        in_one_line(&self.text("body").await).contains(text)
    }

    /// The visible text of the first element of a CSS selector.
    pub async fn text(&self, css: &str) -> String {
        let text = async || {
            let element = self.client.find(Locator::Css(css)).await?;
            element.text().await.map(Some)
        };
        self.eventually(css, text).await
    }

    /// The text of each element of a CSS selector, now.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let texts = async || {
            let mut texts = Vec::new();
            for element in self.client.find_all(Locator::Css(css)).await? {
                texts.push(element.text().await?);
            }
            Ok(Some(texts))
        };
        self.eventually(css, texts).await
    }

    /// The number of elements of a CSS selector, now.
    pub async fn count(&self, css: &str) -> usize {
        let found = self.client.find_all(Locator::Css(css)).await;
        found.expect("the browser looks").len()
    }

    /// An attribute or property of the first element of a CSS selector.
    pub async fn property(&self, css: &str, name: &str) -> Option<String> {
        let read = async || {
            let element = self.client.find(Locator::Css(css)).await?;
            element.prop(name).await.map(Some)
        };
        self.eventually(css, read).await
    }

    /// Presses the button or follows the link with this text.
    pub async fn press(&self, name: &str) {
        let name = quoted(name);
        self.click(&format!(
            "//*[self::button or self::a or self::summary][normalize-space(.)={name}]"
        ))
        .await;
    }

    /// Replaces the text in the field with this label.
    pub async fn fill(&self, label: &str, text: &str) {
        let xpath = labelled(label);
        let filled = async || {
            let field = self.client.find(Locator::XPath(&xpath)).await?;
            field.clear().await?;
            field.send_keys(text).await?;
            Ok(Some(()))
        };
        self.eventually(label, filled).await;
    }

    /// Chooses the option with this text in the list with this label.
    pub async fn choose(&self, label: &str, option: &str) {
        let xpath = labelled(label);
        let chosen = async || {
            let list = self.client.find(Locator::XPath(&xpath)).await?;
            list.select_by_label(option).await?;
            Ok(Some(()))
        };
        self.eventually(label, chosen).await;
    }

    /// Clicks the checkbox or radio button with this label.
    pub async fn check(&self, label: &str) {
        self.click(&labelled(label)).await;
    }

    /// Sends keys to the focused element, such as `\u{e004}` for Tab.
    pub async fn type_keys(&self, keys: &str) {
        let typed = async || {
            let element = self.client.active_element().await?;
            element.send_keys(keys).await?;
            Ok(Some(()))
        };
        self.eventually("the focused element", typed).await;
    }

    /// The accessible name of the focused element, as a screen reader tells.
    pub async fn focused(&self) -> String {
        let script = "const e = document.activeElement; return e.labels?.[0]?.innerText ?? e.ariaLabel ?? e.innerText ?? '';";
        let name = self.run(script, vec![]).await;
        in_one_line(name.as_str().unwrap_or_default())
    }

    /// Runs a script.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let ran = self.client.execute(script, arguments).await;
        ran.expect("the script runs")
    }

    /// Sets the size of the screen, in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.tell("Emulation.setDeviceMetricsOverride", size).await;
        self.run(DRAWN, vec![]).await;
    }

    /// Sets the theme that the person prefers: `light` or `dark`.
    pub async fn prefer(&self, theme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": theme});
        self.tell("Emulation.setEmulatedMedia", json!({"features": [feature]}))
            .await;
        self.run(DRAWN, vec![]).await;
    }

    /// A picture of the whole page, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.picture_down_to(u32::MAX).await
    }

    /// A picture of the first `height` CSS pixels of the page, as PNG.
    pub async fn picture_down_to(&self, height: u32) -> Vec<u8> {
        let script = "const e = document.scrollingElement; return [e.clientWidth, Math.min(e.scrollHeight, arguments[0]), innerHeight]";
        let size = self.run(script, vec![json!(height)]).await;
        let [width, height, before] = [0, 1, 2].map(|place| size[place].as_u64());
        let pixels = |size: Option<u64>| u32::try_from(size.unwrap_or(1)).expect("a size");
        // Chromium draws no further than the screen: the screen grows for the picture.
        self.resize(pixels(width), pixels(height)).await;
        let clip = json!({"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1});
        let part = json!({"format": "png", "clip": clip});
        let answer = self.tell("Page.captureScreenshot", part).await;
        self.resize(pixels(width), pixels(before)).await;
        let data = answer["data"].as_str().expect("a picture");
        STANDARD.decode(data).expect("base64")
    }

    /// A command of Chromium's own protocol.
    pub async fn tell(&self, command: &str, parameters: Value) -> Value {
        let command = Told(json!({"cmd": command, "params": parameters}));
        let answer = self.client.issue_cmd(command).await;
        answer.expect("Chromium takes the command")
    }

    /// Closes the browser.
    pub async fn end(self) {
        let closed = self.client.clone().close().await;
        closed.expect("the browser closes");
    }

    async fn click(&self, xpath: &str) {
        let clicked = async || {
            let found = self.client.find_all(Locator::XPath(xpath)).await?;
            let Some(element) = first_shown(found).await? else {
                return Ok(None);
            };
            let Err(hidden) = element.click().await else {
                return Ok(Some(()));
            };
            self.client.execute(CENTER, vec![json!(element)]).await?;
            Err(hidden)
        };
        self.eventually(xpath, clicked).await;
    }

    /// Calls `look` until the result is `Some`. A page may change between two commands, so errors
    /// are tried again too.
    async fn eventually<T>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut() -> Result<Option<T>, CmdError>,
    ) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            let looked = look().await;
            if let Ok(Some(found)) = looked {
                return found;
            }
            if Instant::now() > until {
                let path = self.path().await;
                let body = self.client.find(Locator::Css("body")).await;
                let said = match body {
                    Ok(body) => body.text().await.unwrap_or_default(),
                    Err(error) => error.to_string(),
                };
                let error = looked.err();
                panic!("not there: {what} ({error:?}). {path} says:\n{said}");
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

async fn first_shown(elements: Vec<Element>) -> Result<Option<Element>, CmdError> {
    for element in elements {
        if element.is_displayed().await? {
            return Ok(Some(element));
        }
    }
    Ok(None)
}

/// A text with every run of white space as one space.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A command of the Chrome DevTools Protocol, which WebDriver does not have.
#[derive(Debug)]
struct Told(Value);

impl WebDriverCompatibleCommand for Told {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}
