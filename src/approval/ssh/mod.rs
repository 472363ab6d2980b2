//! What OpenSSH puts into keys, certificates and signatures, read from their bytes and checked with
//! ring, which is here already for TLS. Formats: RFC 4253, 5656, 8332, 8709 and OpenSSH's own
//! PROTOCOL.certkeys, PROTOCOL.sshsig, PROTOCOL.u2f.

mod certificate;
mod key;
mod sig;
mod wire;

pub(super) use certificate::Certificate;
pub(super) use key::Key;
pub(super) use sig::{Credential, SshSig};
