//! E-mail addresses in one canonical form, and the networks of IP addresses.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use lettre::Address;

/// Maximum length of an address in SMTP, in bytes (RFC 5321, 4.5.3.1.3).
const MAX_LENGTH: usize = 254;
/// Maximum length of the part before the `@`, in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_LENGTH: usize = 64;

/// An e-mail address in the one form in which it is stored, compared, limited and mailed to:
/// lower case, the domain in ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

/// Reason why mail cannot be sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// More bytes than SMTP carries.
    #[error("is longer than {MAX_LENGTH} characters, which is more than mail can carry")]
    TooLong,
    /// More bytes before the `@` than SMTP carries.
    #[error("has more than {MAX_LOCAL_LENGTH} characters before the @, which no mailbox has")]
    LongName,
    /// Nothing after the `@`, or no `@`.
    #[error("has no domain: write it like name@domain.example")]
    NoDomain,
    /// An address literal, or numbers alone.
    #[error("has an IP address after the @, which is not supported: write the domain's name")]
    IpAddress,
    /// Not a domain name by the rules of IDNA.
    #[error("has no valid domain name after the @")]
    Domain,
    /// Nothing before the `@`.
    #[error("has nothing before the @: write it like name@domain.example")]
    NoName,
    /// A quoted name.
    #[error("has quotation marks before the @, which is not supported")]
    Quoted,
    /// A name that only SMTPUTF8 carries.
    #[error(
        "has letters before the @ that are not ASCII: mail to it needs SMTPUTF8, which is not \
         supported; use another address"
    )]
    NotAscii,
    /// Characters or dots where an address has none.
    #[error("is not an e-mail address of the form name@domain.example")]
    Malformed,
}

impl EmailAddress {
    /// Parses an address that a person typed. White space around it is ignored.
    ///
    /// # Errors
    ///
    /// Mail cannot be sent to the address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return Err(AddressError::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoDomain)?;
        check_local_part(local)?;
        let domain = ascii_domain(domain)?;
        if local.len() + 1 + domain.len() > MAX_LENGTH {
            return Err(AddressError::TooLong);
        }
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
        match canonical.parse::<Address>() {
            Ok(_) => Ok(Self(canonical)),
            Err(_) => Err(AddressError::Malformed),
        }
    }

    /// Returns the canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the likely mailbox, which is used only for limits: many providers deliver
    /// `ann.lee+tag@` to `annlee@`.
    pub(crate) fn mailbox(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let (name, _) = local.split_once('+').unwrap_or((local, ""));
        match name.replace('.', "") {
            name if name.is_empty() => self.0.clone(),
            name => format!("{name}@{domain}"),
        }
    }

    /// Returns the local part: the text before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

/// Checks that the local part is a dot-atom of ASCII.
fn check_local_part(local: &str) -> Result<(), AddressError> {
    let is_atext =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let is_dot_atom = |text: &str| {
        text.split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
    };
    match local {
        "" => Err(AddressError::NoName),
        _ if local.len() > MAX_LOCAL_LENGTH => Err(AddressError::LongName),
        _ if is_dot_atom(local) => Ok(()),
        _ if local.starts_with('"') && local.ends_with('"') => Err(AddressError::Quoted),
        _ if local
            .chars()
            .any(|it| !it.is_ascii() && it.is_alphanumeric()) =>
        {
            Err(AddressError::NotAscii)
        }
        _ => Err(AddressError::Malformed),
    }
}

/// Returns the domain in the form in which it is looked up.
fn ascii_domain(domain: &str) -> Result<String, AddressError> {
    if domain.is_empty() {
        return Err(AddressError::NoDomain);
    }
    let last = domain.rsplit('.').next().unwrap_or_default();
    // A name under a number does not exist either.
    if domain.starts_with('[') || last.bytes().all(|byte| byte.is_ascii_digit()) && !last.is_empty()
    {
        return Err(AddressError::IpAddress);
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| AddressError::Domain)?;
    if ascii.is_empty() || ascii.starts_with('.') || ascii.ends_with('.') {
        return Err(AddressError::Domain);
    }
    Ok(ascii)
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Returns the network of a single client, as far as known: an IPv4 address, or the /64 of an IPv6
/// one, which is the smallest network that a client is given.
pub(crate) fn client_of(address: IpAddr) -> IpNet {
    prefix(address, 32, 64)
}

/// Returns the network of clients that may be a single one: the /24 of an IPv4 address, or the /48
/// of an IPv6 one.
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
            (
                "\u{3000}\u{a0} ann@example.com\u{2003}\r\n",
                "ann@example.com",
            ),
        ] {
            assert_eq!(EmailAddress::parse(typed).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_says_why() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}.com", "b.".repeat(130));
        use AddressError::*;
        for (hostile, error) in [
            ("", NoDomain),
            (" ", NoDomain),
            ("@", NoName),
            ("ann", NoDomain),
            ("ann@", NoDomain),
            ("@example.com", NoName),
            ("ann@example.com\r\nBcc: bob@example.com", Malformed),
            ("ann\n@example.com", Malformed),
            ("ann@exa\0mple.com", Domain),
            ("ann@example.com,bob@example.com", Malformed),
            ("ann@example.com bob@example.com", Malformed),
            ("Ann <ann@example.com>", Malformed),
            ("\"ann\"@example.com", Quoted),
            ("\"a b\"@example.com", Quoted),
            ("ann@[127.0.0.1]", IpAddress),
            ("ann@[IPv6:::1]", IpAddress),
            ("ann@127.0.0.1", IpAddress),
            ("ann@example..com", Domain),
            (".ann@example.com", Malformed),
            ("ann.@example.com", Malformed),
            ("an..n@example.com", Malformed),
            ("ann@-example.com", Domain),
            ("ann@exa_mple.com", Domain),
            ("ann@exa mple.com", Domain),
            ("änn@example.com", NotAscii),
            ("почта@example.com", NotAscii),
            ("a\u{200b}nn@example.com", Malformed),
            ("a@b@example.com", Malformed),
            ("ann@example.com.", Domain),
            (long_local.as_str(), LongName),
            (long.as_str(), TooLong),
        ] {
            assert_eq!(EmailAddress::parse(hostile), Err(error), "{hostile:?}");
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
