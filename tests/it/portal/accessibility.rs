//! Every page of the portal against the machine-checkable rules of WCAG 2.2 AA, and against
//! scrolling sideways on a small phone.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};
use webhook_tests::{Browser, Page, Platform, Showcase};

const WIDTHS: [u32; 2] = [360, 1_280];

/// The rules of WCAG 2.2 AA, and what axe counts as good practice.
const RULES: [&str; 6] = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
];

/// The rules about colours among them.
const COLOUR_RULES: [&str; 2] = ["color-contrast", "link-in-text-block"];

/// The themes, each with the rules to check, by tag or by name. A theme changes colours only.
const THEMES: [(&str, &str, &[&str]); 2] =
    [("light", "tag", &RULES), ("dark", "rule", &COLOUR_RULES)];

/// The script for axe, with the choice of rules: the rule and the place of each violation.
const CHECK: &str = "
    return axe.run(document, {runOnly: arguments[0], resultTypes: ['violations']}).then(found =>
        found.violations.flatMap(rule => rule.nodes.map(node =>
            `${rule.id} at ${node.target.join(' ')}: ${node.failureSummary.replaceAll(/\\s+/g, ' ')}`)))";

/// How far the page is wider than the screen, and the first elements whose box or content ends beyond the
/// screen's edge.
const OVERFLOW: &str = "
    const beyond = document.scrollingElement.scrollWidth - innerWidth;
    if (beyond <= 0) return null;
    const end = (e) => e.getBoundingClientRect().left + Math.max(e.offsetWidth ?? 0, e.scrollWidth);
    const wide = [...document.body.querySelectorAll('*')].filter(e => end(e) > innerWidth + 1);
    return `scrolls sideways by ${beyond} pixels: ${wide.slice(-5).map(e => `${e.localName}.${e.className}`).join(', ')}`";

/// The text of axe, from npm, installed once for all tests.
pub(super) fn axe() -> &'static str {
    static AXE: LazyLock<String> = LazyLock::new(install_axe);
    &AXE
}

fn install_axe() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("axe");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe");
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(here.join(file), folder.join(file)).expect("the file is copied");
    }
    let installed = Command::new("npm")
        .args(["ci", "--silent", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .status();
    assert!(installed.expect("./dev installs npm").success(), "npm ci");
    let script = folder.join("node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(script).expect("npm installed axe")
}

/// The violations on the page of a browser, in each theme and width.
pub(super) async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    browser.run(axe, vec![]).await;
    let mut violations = Vec::new();
    for width in WIDTHS {
        browser.resize(width, 900).await;
        if let Value::String(overflow) = browser.run(OVERFLOW, vec![]).await {
            violations.push(format!("{width}: {overflow}"));
        }
        for (theme, chosen_by, rules) in THEMES {
            browser.prefer(theme).await;
            let rules = json!({"type": chosen_by, "values": rules});
            let found = browser.run(CHECK, vec![rules]).await;
            let found = found.as_array().expect("a list").iter();
            let found = found.filter_map(Value::as_str);
            violations.extend(found.map(|one| format!("{width} {theme}: {one}")));
        }
    }
    violations
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_violation_in_either_theme() {
    let axe = axe();
    let showcase = Showcase::new().await;
    let browser = Browser::new(&showcase.api).await;
    let mut wrong = Vec::new();

    let look = async |page: &Page| {
        let found = violations(&browser, axe).await;
        wrong.extend(found.iter().map(|one| format!("{}: {one}", page.name)));
    };
    showcase.tour(&browser, look).await;

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.end().await;
    showcase.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_breaks_the_rules_is_found_out() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser.open("/admin/sign-in").await;
    let broken = "
        document.querySelector('label').remove();
        document.querySelector('.hint').style.color = 'light-dark(#ddd, #aaa)';
        document.querySelector('h1').style.width = '500px'";

    browser.run(broken, vec![]).await;
    let found = violations(&browser, axe()).await;

    let has = |start: &str| found.iter().any(|one| one.starts_with(start));
    assert!(has("360: scrolls sideways"), "{found:?}");
    assert!(has("1280 light: label-title-only at #key"), "{found:?}");
    assert!(has("360 light: color-contrast"), "{found:?}");
    assert!(!has("360 dark: color-contrast"), "{found:?}");
    browser.end().await;
    platform.end().await;
}
