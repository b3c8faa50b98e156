//! Rows of plugins' tables that are of one place, or of a plugin's other ones.

use super::PluginKey;
use crate::entities::{
    plugin_adoption, plugin_delivery, plugin_grant, plugin_guard, plugin_harm, plugin_hold,
    plugin_hook, plugin_image, plugin_member, plugin_state, plugin_undo,
};
use crate::store::TenantStore;
use sea_orm::{ColumnTrait, Condition, EntityTrait};

/// A table that says of each row whose it is, of which plugin, and of which place.
pub(super) trait OfPlace: EntityTrait {
    /// The column of the organization.
    const ORGANIZATION: Self::Column;
    /// The column of the plugin.
    const PLUGIN: Self::Column;
    /// The column of the place.
    const DESTINATION: Self::Column;
}

macro_rules! of_place {
    ($($table:ident),*) => {$(
        impl OfPlace for $table::Entity {
            const ORGANIZATION: $table::Column = $table::Column::OrganizationId;
            const PLUGIN: $table::Column = $table::Column::Plugin;
            const DESTINATION: $table::Column = $table::Column::Destination;
        }
    )*};
}

of_place!(
    plugin_adoption,
    plugin_delivery,
    plugin_grant,
    plugin_guard,
    plugin_harm,
    plugin_hold,
    plugin_hook,
    plugin_image,
    plugin_member,
    plugin_state,
    plugin_undo
);

impl TenantStore {
    /// The organization's rows of a place.
    pub(super) fn here<E: OfPlace>(&self, key: &PluginKey) -> Condition {
        self.of_plugin::<E>(key)
            .add(E::DESTINATION.eq(key.destination.as_str()))
    }

    /// The organization's rows of the plugin's other places.
    pub(super) fn elsewhere<E: OfPlace>(&self, key: &PluginKey) -> Condition {
        self.of_plugin::<E>(key)
            .add(E::DESTINATION.ne(key.destination.as_str()))
    }

    /// The organization's rows of the plugin, whatever the place.
    pub(super) fn of_plugin<E: OfPlace>(&self, key: &PluginKey) -> Condition {
        Condition::all()
            .add(E::ORGANIZATION.eq(self.organization_id))
            .add(E::PLUGIN.eq(key.plugin.as_str()))
    }
}
