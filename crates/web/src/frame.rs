//! What stands around every public page: whose platform it is, and who runs it.

use yj_kernel::App;

use crate::{certificate::encoded, files, telling::Telling};

/// For the head and the foot of `base.html`.
pub(crate) struct Frame<'a> {
    pub(crate) platform: &'a str,
    pub(crate) operator: &'a str,
    /// Where the page of a code is in full, where this one stands within a page of others.
    pub(crate) whole: Option<String>,
    /// Whether a page within a page of others can say how high it is.
    pub(crate) measured: bool,
}

impl<'a> Frame<'a> {
    /// Of this platform.
    pub(crate) fn of(app: &'a App) -> Self {
        Self {
            platform: &app.platform().name,
            operator: &app.platform().operator,
            whole: None,
            measured: false,
        }
    }

    /// Around the page of a code.
    pub(crate) fn around(app: &'a App, telling: Telling, code: &str) -> Self {
        let embedded = telling == Telling::Embedded;
        Self {
            whole: embedded.then(|| format!("{}{}", Telling::Page.door(), encoded(code))),
            measured: embedded && files::has_portal(),
            ..Self::of(app)
        }
    }
}
