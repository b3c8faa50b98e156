//! How fresh the mirror is: members are read again before a send unless that was done a moment ago.

use super::reader;
use super::session::Desk;
use crate::plugin::{PluginContext, PluginError};
use tokio::time::Instant;

/// Looks at the members again if the last look is too long ago; answers whether it did.
pub(crate) async fn freshen(desk: &Desk, ctx: &PluginContext) -> Result<bool, PluginError> {
    if desk.is_fresh() {
        return Ok(false);
    }
    let _alone = desk.read_alone().await;
    // Somebody else may have looked meanwhile.
    if !desk.is_fresh() {
        look(desk, ctx, false).await?;
    }
    Ok(true)
}

/// `is_new`: what is known of the audience's numbers is of this moment.
pub(crate) async fn look(
    desk: &Desk,
    ctx: &PluginContext,
    is_new: bool,
) -> Result<(), PluginError> {
    let begun = Instant::now();
    reader::refresh(desk, ctx, is_new).await?;
    desk.note_read(begun);
    Ok(())
}
