//! What stands around every public page: whose platform it is, and who runs it.

use yj_kernel::App;

/// For the head and the foot of `base.html`.
pub(crate) struct Frame<'a> {
    pub(crate) platform: &'a str,
    pub(crate) operator: &'a str,
}

impl<'a> Frame<'a> {
    /// Of this platform.
    pub(crate) fn of(app: &'a App) -> Self {
        Self { platform: &app.platform().name, operator: &app.platform().operator }
    }
}
