//! `./dev screenshots`: every page of the portal with a month of data, in both themes, narrow and
//! wide. An argument chooses the pages whose names begin with the argument.

use std::path::{Path, PathBuf};

use webhook_tests::{Browser, PAGES, Page, Servers, Showcase, World};

/// A small phone, a laptop, a large screen. The large screen has a single theme: no more differs.
const SIZES: [(u32, u32, &[&str]); 3] = [
    (360, 740, &["light", "dark"]),
    (1_440, 900, &["light", "dark"]),
    (1_920, 1_080, &["light"]),
];

/// Lists go on below the bound with more rows of the same kind.
const HEIGHT: u32 = 2_600;

/// On a phone the preview of a message comes after the choice of events.
const HEIGHT_WITH_PREVIEW: u32 = 5_200;

#[tokio::main]
async fn main() {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).init();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    let folder = folder.canonicalize().expect("the folder exists");
    let servers = Servers::start().await;
    let showcase = Showcase::within(World::on(servers.urls()).await).await;
    let browser = Browser::new(&showcase.api).await;

    let wanted = std::env::args().nth(1).unwrap_or_default();
    let look = async |page: &Page| {
        if page.name.starts_with(&wanted) {
            take(&browser, &folder, page.name).await;
        }
    };
    showcase.tour(&browser, look).await;

    let pages = PAGES.iter().filter(|page| page.name.starts_with(&wanted));
    println!("{} pages in {}", pages.count(), folder.display());
    browser.end().await;
    showcase.end().await;
}

/// Takes the pictures of a page.
async fn take(browser: &Browser, folder: &Path, name: &str) {
    let down_to = if name.starts_with("webhook-preview") {
        HEIGHT_WITH_PREVIEW
    } else {
        HEIGHT
    };
    for (width, height, themes) in SIZES {
        browser.resize(width, height).await;
        for theme in themes {
            browser.prefer(theme).await;
            let file: PathBuf = folder.join(format!("{name}-{theme}-{width}.png"));
            std::fs::write(&file, browser.picture_down_to(down_to).await)
                .expect("the picture is written");
            println!("{}", file.display());
        }
    }
}
