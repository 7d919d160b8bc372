//! Networks of trusted proxies.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// Network: a single address, or the first address and the length of the prefix that all of its
/// addresses share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Returns the networks that, joined, cover too much of the internet, such as 0.0.0.0/0 or both
    /// its halves.
    pub(crate) fn too_large(networks: &[Self]) -> Vec<IpNet> {
        let networks: Vec<IpNet> = networks.iter().map(|network| network.0).collect();
        let is_too_large = |network: &IpNet| match network {
            // The largest network of one owner has 8 bits.
            IpNet::V4(network) => network.prefix_len() < 8,
            IpNet::V6(network) => network.prefix_len() < 7,
        };
        let aggregated = IpNet::aggregate(&networks);
        aggregated.into_iter().filter(is_too_large).collect()
    }

    /// Returns true if the address belongs to the network.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse::<IpNet>());
        network
            .map(Self)
            .map_err(|_| "write it like 10.0.0.7, 10.0.0.0/8 or fd00::/8".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_cover_much_of_the_internet_are_too_large() {
        let too_large = |networks: &[&str]| {
            let networks: Vec<Network> = networks.iter().map(|it| it.parse().unwrap()).collect();
            let found = Network::too_large(&networks);
            found.iter().map(IpNet::to_string).collect::<Vec<_>>()
        };
        assert_eq!(too_large(&["10.0.0.0/8", "fc00::/7"]), [""; 0]);
        assert_eq!(
            too_large(&["10.0.0.0/7", "fc00::/6"]),
            ["10.0.0.0/7", "fc00::/6"]
        );
        assert_eq!(too_large(&["0.0.0.0/1", "128.0.0.0/1"]), ["0.0.0.0/0"]);
    }

    #[test]
    fn a_network_is_an_address_or_has_a_prefix() {
        let contains = |network: &str, address: &str| {
            let network: Network = network.parse().unwrap();
            network.contains(address.parse().unwrap())
        };
        assert!(contains("10.0.0.7", "10.0.0.7") && !contains("10.0.0.7", "10.0.0.8"));
        assert!(contains("10.0.0.0/8", "10.9.8.7") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("fd00::/8", "fd12::1") && !contains("fd00::/8", "10.0.0.1"));
        for text in ["", "10", "10.0.0.0/33", "10.0.0.0/", "proxy", "*"] {
            assert!(text.parse::<Network>().is_err(), "{text:?} is no network");
        }
    }
}
