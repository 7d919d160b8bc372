//! E-mail addresses in one canonical form, and where requests come from.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use lettre::Address;

/// The longest address that SMTP carries, in bytes (RFC 5321, 4.5.3.1.3).
const MAX_LENGTH: usize = 254;
/// The longest part before the `@`, in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_LENGTH: usize = 64;

/// An e-mail address in the one form in which it is stored, compared, limited and mailed to:
/// lower case, the domain in ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

/// Why something is no address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// More than 254 bytes, or more than 64 before the `@`.
    #[error("is longer than an e-mail address may be")]
    TooLong,
    /// Not of the form `name@domain.example` with a plain ASCII name.
    #[error("is no e-mail address of the form name@domain.example")]
    Malformed,
}

impl EmailAddress {
    /// Reads what a person typed.
    ///
    /// # Errors
    ///
    /// It is no address that mail can be sent to.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_LENGTH {
            return Err(AddressError::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Malformed)?;
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| AddressError::Malformed)?;
        if local.len() > MAX_LOCAL_LENGTH || local.len() + 1 + domain.len() > MAX_LENGTH {
            return Err(AddressError::TooLong);
        }
        // A quoted name or an address literal would be valid too, and is nobody's.
        let is_dot_atom = local.split('.').all(|atom| {
            let is_atext =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
            !atom.is_empty() && atom.bytes().all(is_atext)
        });
        if !is_dot_atom || domain.is_empty() || domain.starts_with('.') || domain.ends_with('.') {
            return Err(AddressError::Malformed);
        }
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
        match canonical.parse::<Address>() {
            Ok(_) => Ok(Self(canonical)),
            Err(_) => Err(AddressError::Malformed),
        }
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mailbox, as far as can be told, for limits alone: many providers deliver `ann.lee+tag@` to
    /// `annlee@`.
    pub(crate) fn mailbox(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let (name, _) = local.split_once('+').unwrap_or((local, ""));
        match name.replace('.', "") {
            name if name.is_empty() => self.0.clone(),
            name => format!("{name}@{domain}"),
        }
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One client, as far as can be told: an IPv4 address, or the /64 of an IPv6 one, which is the least
/// that anybody is given.
pub(crate) fn client_of(address: IpAddr) -> IpNet {
    prefix(address, 32, 64)
}

/// The clients that may be one: the /24 of an IPv4 address, or the /48 of an IPv6 one.
pub(crate) fn network_of(address: IpAddr) -> IpNet {
    prefix(address, 24, 48)
}

fn prefix(address: IpAddr, v4: u8, v6: u8) -> IpNet {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { v4 } else { v6 };
    // The lengths are those of an address of its kind; the fallback is never reached.
    IpNet::new(address, length).map_or(address.into(), |network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_canonical_form() {
        for (typed, canonical) in [
            ("Ann@Example.COM", "ann@example.com"),
            ("ann.b+c@example.com", "ann.b+c@example.com"),
            ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
            ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ] {
            assert_eq!(EmailAddress::parse(typed).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn hostile_addresses_are_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}.com", "b.".repeat(130));
        for hostile in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "ann@example.com\r\nBcc: bob@example.com",
            "ann\n@example.com",
            "ann@exa\0mple.com",
            "ann@example.com,bob@example.com",
            "ann@example.com bob@example.com",
            "Ann <ann@example.com>",
            "\"ann\"@example.com",
            "ann@[127.0.0.1]",
            "ann@example..com",
            ".ann@example.com",
            "ann.@example.com",
            "an..n@example.com",
            "ann@-example.com",
            "ann@exa_mple.com",
            "änn@example.com",
            "a@b@example.com",
            "ann@example.com.",
            long_local.as_str(),
            long.as_str(),
        ] {
            assert!(
                EmailAddress::parse(hostile).is_err(),
                "{hostile:?} must be refused"
            );
        }
    }

    #[test]
    fn clients_and_networks_have_a_prefix() {
        for (address, client, network) in [
            ("192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
            ("::ffff:192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
            (
                "2001:db8:1:2:3:4:5:6",
                "2001:db8:1:2::/64",
                "2001:db8:1::/48",
            ),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(client_of(address).to_string(), client);
            assert_eq!(network_of(address).to_string(), network);
        }
    }

    #[test]
    fn addresses_of_one_mailbox_are_one_for_the_limits() {
        for address in [
            "ann.lee@example.com",
            "annlee+a@example.com",
            "A.n.n.Lee+b+c@Example.com",
        ] {
            let address = EmailAddress::parse(address).unwrap();
            assert_eq!(address.mailbox(), "annlee@example.com");
        }
        let odd = EmailAddress::parse("+tag@example.com").unwrap();
        assert_eq!(odd.mailbox(), "+tag@example.com");
    }
}
