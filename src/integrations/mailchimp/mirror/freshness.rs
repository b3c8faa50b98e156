//! How fresh the mirror is: members are read again before a send unless that was done a moment ago.

use super::reader;
use super::session::MailchimpSession;
use crate::plugin::{PluginContext, PluginError};
use tokio::time::Instant;

/// Looks at the members again if the last look is too long ago; answers whether it did. Where the
/// audience cannot be read, only refusals are passed on, by what was known before.
pub(crate) async fn freshen(
    session: &MailchimpSession,
    ctx: &PluginContext,
) -> Result<bool, PluginError> {
    if session.is_fresh() || session.is_unreadable() {
        return Ok(false);
    }
    let _alone = session.read_alone().await;
    // Somebody else may have looked meanwhile.
    if !session.is_fresh() {
        read_members(session, ctx, false).await?;
    }
    Ok(true)
}

/// `is_new`: what is known of the audience's numbers is of this moment.
pub(crate) async fn read_members(
    session: &MailchimpSession,
    ctx: &PluginContext,
    is_new: bool,
) -> Result<(), PluginError> {
    let begun = Instant::now();
    reader::refresh(session, ctx, is_new).await?;
    session.note_read(begun);
    Ok(())
}
