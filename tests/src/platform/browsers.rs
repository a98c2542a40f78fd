//! Browsers with a session of the portal.

use crate::{Browser, Platform, Service};

impl Platform {
    /// A browser at the list of webhooks, signed in with the platform's key.
    pub async fn browser(&self) -> Browser {
        let browser = Browser::new(&self.api).await;
        browser.sign_in(&self.key).await;
        browser
    }

    /// A browser at `page`, signed in with the platform's key.
    pub async fn browser_at(&self, page: &str) -> Browser {
        let browser = self.browser().await;
        browser.open(page).await;
        browser
    }

    /// A browser without scripts at the list of webhooks, signed in with the platform's key.
    pub async fn plain_browser(&self) -> Browser {
        let browser = Browser::without_scripts(&self.api).await;
        browser.sign_in(&self.key).await;
        browser
    }

    /// A browser without scripts at `page`, signed in with the platform's key.
    pub async fn plain_browser_at(&self, page: &str) -> Browser {
        let browser = self.plain_browser().await;
        browser.open(page).await;
        browser
    }

    /// A browser at the list of webhooks, signed in with a new key of `role`.
    pub async fn browser_of(&self, role: &str) -> Browser {
        let browser = Browser::new(&self.api).await;
        let key = Service::new_key(&self.world, role).await;
        browser.sign_in(&key).await;
        browser
    }
}
