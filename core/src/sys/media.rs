//! `/dev/media*`: who a media device is, what it is made of, and where requests come from.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::request::RequestFd;
use super::video::{open, text};
use crate::IoctlError;

/// How often the topology may change while it is read.
const ATTEMPTS: usize = 10;
/// Elements of one kind that are believed to exist.
const MAX_ELEMENTS: u32 = 65_536;

/// `struct media_device_info` of `linux/media.h`.
#[repr(C)]
struct RawDeviceInfo {
    driver: [u8; 16],
    model: [u8; 32],
    serial: [u8; 40],
    bus_info: [u8; 32],
    media_version: u32,
    hw_revision: u32,
    driver_version: u32,
    reserved: [u32; 31],
}

/// `struct media_v2_entity`.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawEntity {
    id: u32,
    name: [u8; 64],
    function: u32,
    flags: u32,
    reserved: [u32; 5],
}

/// `struct media_v2_interface`; of the union only the device number matters.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawInterface {
    id: u32,
    intf_type: u32,
    flags: u32,
    reserved: [u32; 9],
    major: u32,
    minor: u32,
    raw: [u32; 14],
}

/// `struct media_v2_pad`.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawPad {
    id: u32,
    entity_id: u32,
    flags: u32,
    index: u32,
    reserved: [u32; 4],
}

/// `struct media_v2_link`.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawLink {
    id: u32,
    source_id: u32,
    sink_id: u32,
    flags: u32,
    reserved: [u32; 6],
}

/// `struct media_v2_topology`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct RawTopology {
    topology_version: u64,
    num_entities: u32,
    reserved1: u32,
    ptr_entities: u64,
    num_interfaces: u32,
    reserved2: u32,
    ptr_interfaces: u64,
    num_pads: u32,
    reserved3: u32,
    ptr_pads: u64,
    num_links: u32,
    reserved4: u32,
    ptr_links: u64,
}

nix::ioctl_readwrite!(media_ioc_device_info, b'|', 0x00, RawDeviceInfo);
nix::ioctl_readwrite!(media_ioc_g_topology, b'|', 0x04, RawTopology);
nix::ioctl_read!(media_ioc_request_alloc, b'|', 0x05, RawFd);

/// A thing in the topology of a media device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// `MEDIA_ENT_F_*`.
    pub function: u32,
}

/// A device node of the topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its id.
    pub id: u32,
    /// `MEDIA_INTF_T_*`.
    pub intf_type: u32,
    /// Major and minor number.
    pub device: (u32, u32),
}

/// Where data goes in or out of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pad {
    /// Its id.
    pub id: u32,
    /// Whose it is.
    pub entity_id: u32,
}

/// From pad to pad, or from an interface to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// A pad or an interface.
    pub source_id: u32,
    /// A pad or an entity.
    pub sink_id: u32,
    /// `MEDIA_LNK_FL_*`.
    pub flags: u32,
}

/// What a media device is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// All entities.
    pub entities: Vec<Entity>,
    /// All device nodes.
    pub interfaces: Vec<Interface>,
    /// All pads.
    pub pads: Vec<Pad>,
    /// All links.
    pub links: Vec<Link>,
}

/// What MEDIA_IOC_DEVICE_INFO says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaInfo {
    /// Name of the driver.
    pub driver: String,
    /// Name of the device.
    pub model: String,
    /// Where it sits.
    pub bus_info: String,
}

/// An open media device.
#[derive(Debug)]
pub struct MediaDevice {
    fd: OwnedFd,
    path: PathBuf,
}

impl MediaDevice {
    /// Opens `path`.
    ///
    /// # Errors
    /// What open(2) says.
    pub fn open(path: &Path) -> Result<Self, IoctlError> {
        Ok(Self {
            fd: open(path, 0)?,
            path: path.to_owned(),
        })
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn error(&self, call: &'static str, errno: Errno) -> IoctlError {
        IoctlError::new(call, &self.path, errno)
    }

    /// MEDIA_IOC_DEVICE_INFO.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn info(&self) -> Result<MediaInfo, IoctlError> {
        let mut info = RawDeviceInfo {
            driver: [0; 16],
            model: [0; 32],
            serial: [0; 40],
            bus_info: [0; 32],
            media_version: 0,
            hw_revision: 0,
            driver_version: 0,
            reserved: [0; 31],
        };
        // SAFETY: `info` is a live `media_device_info`, which the ioctl writes; the device is open.
        let done = unsafe { media_ioc_device_info(self.fd.as_raw_fd(), &mut info) };
        done.map_err(|errno| self.error("MEDIA_IOC_DEVICE_INFO", errno))?;
        Ok(MediaInfo {
            driver: text(&info.driver),
            model: text(&info.model),
            bus_info: text(&info.bus_info),
        })
    }

    /// MEDIA_IOC_G_TOPOLOGY: once for the counts, once for the elements, and again if it changed in between.
    ///
    /// # Errors
    /// What the ioctl says; EAGAIN if it changes all the time.
    pub fn topology(&self) -> Result<Topology, IoctlError> {
        let mut elements = Elements::default();
        for _ in 0..ATTEMPTS {
            match self.fill(&mut elements) {
                Ok(filled) if elements.are_all_of(&filled) => return Ok(elements.topology()),
                Ok(filled) => {
                    if filled.largest() > MAX_ELEMENTS {
                        return Err(self.error("MEDIA_IOC_G_TOPOLOGY", Errno::E2BIG));
                    }
                    elements.make_room(&filled);
                }
                // It grew.
                Err(error) if error.errno == Errno::ENOSPC => elements = Elements::default(),
                Err(error) => return Err(error),
            }
        }
        Err(self.error("MEDIA_IOC_G_TOPOLOGY", Errno::EAGAIN))
    }

    /// Fills the elements that there is room for; the answer says how many there are.
    fn fill(&self, elements: &mut Elements) -> Result<RawTopology, IoctlError> {
        let mut topology = RawTopology {
            num_entities: elements.entities.len() as u32,
            ptr_entities: address(&mut elements.entities),
            num_interfaces: elements.interfaces.len() as u32,
            ptr_interfaces: address(&mut elements.interfaces),
            num_pads: elements.pads.len() as u32,
            ptr_pads: address(&mut elements.pads),
            num_links: elements.links.len() as u32,
            ptr_links: address(&mut elements.links),
            ..RawTopology::default()
        };
        // SAFETY: `topology` is a live `media_v2_topology`; each of its addresses is 0, for counts only, or that of an
        // exclusively borrowed array of as many elements as it says, any bytes of which are valid.
        let done = unsafe { media_ioc_g_topology(self.fd.as_raw_fd(), &mut topology) };
        done.map_err(|errno| self.error("MEDIA_IOC_G_TOPOLOGY", errno))?;
        Ok(topology)
    }

    /// MEDIA_IOC_REQUEST_ALLOC.
    ///
    /// # Errors
    /// What the ioctl says; ENOTTY if the device takes no requests.
    pub fn alloc_request(&self) -> Result<RequestFd, IoctlError> {
        let mut fd: RawFd = -1;
        // SAFETY: `fd` is a live int, which the ioctl writes; the device is open.
        let done = unsafe { media_ioc_request_alloc(self.fd.as_raw_fd(), &mut fd) };
        done.map_err(|errno| self.error("MEDIA_IOC_REQUEST_ALLOC", errno))?;
        // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(RequestFd::new(fd, &self.path))
    }
}

/// Arrays for the kernel to fill.
#[derive(Default)]
struct Elements {
    entities: Vec<RawEntity>,
    interfaces: Vec<RawInterface>,
    pads: Vec<RawPad>,
    links: Vec<RawLink>,
}

impl Elements {
    /// There was room for everything.
    fn are_all_of(&self, filled: &RawTopology) -> bool {
        let room = [
            self.entities.len(),
            self.interfaces.len(),
            self.pads.len(),
            self.links.len(),
        ];
        filled.numbers().map(|number| number as usize) == room
    }

    fn make_room(&mut self, counts: &RawTopology) {
        let [entities, interfaces, pads, links] = counts.numbers().map(|number| number as usize);
        self.entities.resize(entities, RawEntity::EMPTY);
        self.interfaces.resize(interfaces, RawInterface::EMPTY);
        self.pads.resize(pads, RawPad::EMPTY);
        self.links.resize(links, RawLink::EMPTY);
    }

    fn topology(&self) -> Topology {
        Topology {
            entities: self.entities.iter().map(Entity::from).collect(),
            interfaces: self.interfaces.iter().map(Interface::from).collect(),
            pads: self.pads.iter().map(Pad::from).collect(),
            links: self.links.iter().map(Link::from).collect(),
        }
    }
}

impl RawTopology {
    fn numbers(&self) -> [u32; 4] {
        [self.num_entities, self.num_interfaces, self.num_pads, self.num_links]
    }

    fn largest(&self) -> u32 {
        self.numbers().into_iter().fold(0, u32::max)
    }
}

/// Where the kernel is to write; 0 where there is no room.
fn address<T>(elements: &mut [T]) -> u64 {
    match elements {
        [] => 0,
        elements => elements.as_mut_ptr().expose_provenance() as u64,
    }
}

impl RawEntity {
    const EMPTY: Self = Self {
        id: 0,
        name: [0; 64],
        function: 0,
        flags: 0,
        reserved: [0; 5],
    };
}

impl RawInterface {
    const EMPTY: Self = Self {
        id: 0,
        intf_type: 0,
        flags: 0,
        reserved: [0; 9],
        major: 0,
        minor: 0,
        raw: [0; 14],
    };
}

impl RawPad {
    const EMPTY: Self = Self {
        id: 0,
        entity_id: 0,
        flags: 0,
        index: 0,
        reserved: [0; 4],
    };
}

impl RawLink {
    const EMPTY: Self = Self {
        id: 0,
        source_id: 0,
        sink_id: 0,
        flags: 0,
        reserved: [0; 6],
    };
}

impl From<&RawEntity> for Entity {
    fn from(raw: &RawEntity) -> Self {
        Self {
            id: raw.id,
            name: text(&raw.name),
            function: raw.function,
        }
    }
}

impl From<&RawInterface> for Interface {
    fn from(raw: &RawInterface) -> Self {
        Self {
            id: raw.id,
            intf_type: raw.intf_type,
            device: (raw.major, raw.minor),
        }
    }
}

impl From<&RawPad> for Pad {
    fn from(raw: &RawPad) -> Self {
        Self {
            id: raw.id,
            entity_id: raw.entity_id,
        }
    }
}

impl From<&RawLink> for Link {
    fn from(raw: &RawLink) -> Self {
        Self {
            source_id: raw.source_id,
            sink_id: raw.sink_id,
            flags: raw.flags,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_and_numbers_are_those_of_the_uapi() {
        let sizes = [
            size_of::<RawEntity>(),
            size_of::<RawInterface>(),
            size_of::<RawPad>(),
            size_of::<RawLink>(),
        ];
        assert_eq!(sizes, [96, 112, 32, 40]);
        let number = |nr, size| nix::request_code_readwrite!(b'|', nr, size);
        assert_eq!(number(0, size_of::<RawDeviceInfo>()), 0xc100_7c00);
        assert_eq!(number(4, size_of::<RawTopology>()), 0xc048_7c04);
    }

    #[test]
    fn a_file_that_is_no_media_device_says_so_by_name() {
        let null = MediaDevice::open(Path::new("/dev/null")).unwrap();
        let failures = [
            null.info().unwrap_err(),
            null.topology().unwrap_err(),
            null.alloc_request().unwrap_err(),
        ];
        for (error, call) in failures.iter().zip([
            "MEDIA_IOC_DEVICE_INFO",
            "MEDIA_IOC_G_TOPOLOGY",
            "MEDIA_IOC_REQUEST_ALLOC",
        ]) {
            assert_eq!((error.call, error.errno), (call, Errno::ENOTTY));
            assert_eq!(error.path, Path::new("/dev/null"));
        }
    }
}
