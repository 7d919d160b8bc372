//! The members of bundles and events that SDKs send.

macro_rules! fields {
    ($($field:ident $name:literal $(| $other:literal)?,)*) => {
        /// A member of a bundle or an event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Field {
            $(
                #[doc = concat!("`", $name, "`")]
                $field,
            )*
        }

        impl Field {
            /// All members.
            pub(super) const ALL: &[Self] = &[$(Self::$field),*];
            /// Number of members.
            pub(super) const COUNT: usize = Self::ALL.len();

            /// Returns the member with a name; `None` if no SDK sends such a one.
            pub(super) fn of_name(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $other)? => Some(Self::$field),)*
                    _ => None,
                }
            }

            /// Its name.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                }
            }
        }
    };
}

fields! {
    ApiKey "api_key",
    AppVer "app_ver",
    Browser "browser",
    BrowserVer "browser_ver",
    Channel "channel",
    Class "class",
    ConfigVer "config_ver",
    Country "country",
    DeviceFamily "device_family",
    DeviceTag "device_tag",
    DeviceType "device_type",
    EventDatetime "event_datetime",
    EventIndex "event_index",
    Events "events",
    ExperimentName "experiment_name",
    FacebookTag "facebook_tag",
    Family "family",
    Filename "filename",
    Float1 "float1",
    Float2 "float2",
    Float3 "float3",
    Float4 "float4",
    FromTag "from_tag",
    GameCenterTag "game_center_tag",
    Genus "genus",
    GoogleTag "google_tag",
    GroupTag "group_tag",
    Hostname "hostname",
    IsAttributed "is_attributed",
    Kingdom "kingdom",
    Language "language",
    LogLevel "log_level",
    LogLine "log_line",
    Marketplace "marketplace",
    Network "network",
    OnlineStatus "online_status",
    Order "order",
    Os "os",
    OsVer "os_ver",
    Phylum "phylum",
    RemoteAddress "remote_address",
    // The browser's SDK of version 1.0.0 sends it misspelt.
    ResponseBytes "response_bytes" | "repsonse_bytes",
    ResponseMs "response_ms",
    ServerVer "server_ver",
    Species "species",
    SpendAmount "spend_amount",
    SpendCurrency "spend_currency",
    SpendType "spend_type",
    ToList "to_list",
    ToTag "to_tag",
    TwitterTag "twitter_tag",
    Type "type",
    UserTag "user_tag",
    VariantName "variant_name",
}
