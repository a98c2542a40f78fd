//! `./dev firefox`: opens every page of the portal and the API docs in Firefox, with a month of data. Ends with
//! the faults of the pages' scripts, styles and policies that Firefox told.

use std::process::ExitCode;

use webhook_tests::{Browser, PAGES, Page, Servers, Showcase, World};

#[tokio::main]
async fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).init();
    let servers = Servers::start().await;
    let showcase = Showcase::within(World::on(servers.urls()).await).await;
    let browser = Browser::firefox(&showcase.api).await;

    let look = async |page: &Page| println!("{}", page.name);
    showcase.tour(&browser, look).await;
    browser.open("/api/docs/").await;
    browser.see("Creates a webhook").await;

    let faults = faults_of(&browser.log(), &showcase.api.url);
    browser.end().await;
    showcase.end().await;
    println!("{} pages and the API docs in Firefox", PAGES.len());
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The lines of the log about faults in files of the portal. Faults of Firefox itself are not ours.
fn faults_of(log: &[String], portal: &str) -> Vec<String> {
    let is_fault = |line: &&String| {
        let told = [
            "JavaScript error:",
            "console.error",
            "Content-Security-Policy",
        ];
        told.iter().any(|word| line.contains(word)) && line.contains(portal)
    };
    log.iter().filter(is_fault).cloned().collect()
}
