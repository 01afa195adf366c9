//! Which decoder: `auto`, `soft`, `soft:OPTIONS`, or the path of a video node or media device.
//!
//! Decoders of the kernel are found by the topology of the media devices: an entity that decodes video, its pads, what
//! they are linked to, and the video node of that.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::DecoderDevice;
use super::kernel::KernelDevice;
use super::narrowed::NarrowedDevice;
use super::soft::{Personality, SoftDevice};
use crate::sys::{MediaDevice, MediaInfo, Topology};
use crate::{Error, Result};

/// The environment variable that names the device where nobody else does.
pub const ENVIRONMENT: &str = "FOURIER_DEVICE";

/// Where device nodes are.
const DEV: &str = "/dev";

/// `MEDIA_ENT_F_PROC_VIDEO_DECODER`.
const PROC_VIDEO_DECODER: u32 = 0x4008;
/// `MEDIA_ENT_F_IO_V4L`.
const IO_V4L: u32 = 0x1_0001;
/// `MEDIA_INTF_T_V4L_VIDEO`.
const INTF_V4L_VIDEO: u32 = 0x200;
/// `MEDIA_LNK_FL_LINK_TYPE`.
const LINK_TYPE: u32 = 0xf << 28;
/// `MEDIA_LNK_FL_DATA_LINK`.
const DATA_LINK: u32 = 0;
/// `MEDIA_LNK_FL_INTERFACE_LINK`.
const INTERFACE_LINK: u32 = 1 << 28;

/// A decoder of the kernel, usable or not.
#[derive(Debug)]
pub struct Found {
    /// The media device.
    pub media: PathBuf,
    /// Who it is, if it said so.
    pub info: Option<MediaInfo>,
    /// Its video node; `None` if there is no decoder in it, or none that has a node.
    pub video: Option<PathBuf>,
    /// The decoder, or why it cannot be used.
    pub device: Result<Arc<KernelDevice>>,
}

/// Opens the best device that `spec` names: the first of [`open_devices`].
///
/// # Errors
/// Those of [`open_devices`].
pub fn open_device(spec: Option<&str>) -> Result<Arc<dyn DecoderDevice>> {
    let first = open_devices(spec)?.into_iter().next();
    first.ok_or_else(|| Error::Bug("no device and no reason".into()))
}

/// Opens every device that `spec` names, best first, never none; `None` or `auto` asks `FOURIER_DEVICE`, and without
/// that the system: the decoders of the kernel, and if there are none the software decoder.
///
/// `soft` is the software decoder, `soft:OPTIONS` with the constraints that [`Personality::parse`] describes,
/// `/dev/videoN` one node, `/dev/mediaN` the decoders of one media device. Behind a node, `:mode=frame|slice`,
/// `startcode=annexb|none` and `format=FOURCC` say which of several ways of using it is taken.
///
/// # Errors
/// [`Error::Unsupported`] if the name is not understood, or saying why what it names cannot be used.
pub fn open_devices(spec: Option<&str>) -> Result<Vec<Arc<dyn DecoderDevice>>> {
    let devices = match spec {
        None | Some("" | "auto") => named(&std::env::var(ENVIRONMENT).unwrap_or_default())?,
        Some(spec) => named(spec)?,
    };
    for device in &devices {
        tracing::debug!("{:?}", device.capabilities());
    }
    Ok(devices)
}

fn named(spec: &str) -> Result<Vec<Arc<dyn DecoderDevice>>> {
    let path = Path::new(spec);
    match spec {
        "" | "auto" => Ok(automatic()),
        "soft" => Ok(soft(Personality::default())),
        _ if path.is_absolute() => at_with_options(spec),
        _ => match spec.strip_prefix("soft:") {
            Some(options) => Ok(soft(Personality::parse(options)?)),
            None => Err(Error::Unsupported(format!(
                "device {spec}: neither auto, soft[:OPTIONS] nor the path of a video or media node"
            ))),
        },
    }
}

fn soft(personality: Personality) -> Vec<Arc<dyn DecoderDevice>> {
    vec![Arc::new(SoftDevice::new(personality))]
}

/// Every decoder of the kernel that can be used, else the software decoder.
fn automatic() -> Vec<Arc<dyn DecoderDevice>> {
    let mut devices: Vec<Arc<dyn DecoderDevice>> = Vec::new();
    for found in survey() {
        match found.device {
            Ok(device) => devices.push(device),
            Err(error) => tracing::debug!("{}: {error}", found.media.display()),
        }
    }
    if devices.is_empty() {
        tracing::info!("the kernel has no decoder for us: decoding in software");
        return soft(Personality::default());
    }
    devices
}

/// The decoders behind `NODE[:OPTIONS]`.
fn at_with_options(spec: &str) -> Result<Vec<Arc<dyn DecoderDevice>>> {
    let Some((path, options)) = spec.split_once(':') else {
        return at(Path::new(spec));
    };
    let narrow = |device| Ok(Arc::new(NarrowedDevice::new(device, options)?) as Arc<dyn DecoderDevice>);
    at(Path::new(path))?.into_iter().map(narrow).collect()
}

/// The decoders behind one node.
fn at(path: &Path) -> Result<Vec<Arc<dyn DecoderDevice>>> {
    let refuse = |why: &dyn std::fmt::Display| Error::Unsupported(format!("device {}: {why}", path.display()));
    let node = fs::metadata(path).map_err(|error| refuse(&error))?;
    if !node.file_type().is_char_device() {
        return Err(refuse(&"no device node"));
    }
    let same = |other: &Path| fs::metadata(other).is_ok_and(|other| other.rdev() == node.rdev());
    let mut devices: Vec<Arc<dyn DecoderDevice>> = Vec::new();
    let mut why = None;
    for found in survey() {
        if same(&found.media) || found.video.as_deref().is_some_and(same) {
            match found.device {
                Ok(device) => devices.push(device),
                Err(error) => why = Some(error),
            }
        }
    }
    match (devices.is_empty(), why) {
        (false, _) => Ok(devices),
        (true, Some(error)) => Err(refuse(&error)),
        (true, None) => Err(refuse(&"no media device has a decoder there")),
    }
}

/// Looks at every media device of the system, in the order of their numbers.
pub fn survey() -> Vec<Found> {
    let mut found = Vec::new();
    for media in nodes("media") {
        match decoders_of(&media) {
            Ok((info, decoders)) => found.extend(decoders.into_iter().map(|(video, device)| Found {
                media: media.clone(),
                info: info.clone(),
                video,
                device,
            })),
            Err(error) => found.push(Found {
                media,
                info: None,
                video: None,
                device: Err(error),
            }),
        }
    }
    found
}

type Decoder = (Option<PathBuf>, Result<Arc<KernelDevice>>);

/// The decoders of one media device, or that it has none.
fn decoders_of(media: &Path) -> Result<(Option<MediaInfo>, Vec<Decoder>)> {
    let device = Arc::new(MediaDevice::open(media)?);
    let info = device.info().ok();
    let numbers = video_nodes_of_decoders(&device.topology()?);
    if numbers.is_empty() {
        let why = format!("{}: no video decoder in it", media.display());
        return Ok((info, vec![(None, Err(Error::Unsupported(why)))]));
    }
    let open = |number| match node_path(number) {
        None => {
            let (major, minor) = number;
            let why = format!("{}: its video node {major}:{minor} is not in {DEV}", media.display());
            (None, Err(Error::Unsupported(why)))
        }
        Some(video) => {
            let opened = KernelDevice::open(Arc::clone(&device), &video);
            (Some(video), opened.map(Arc::new))
        }
    };
    Ok((info, numbers.into_iter().map(open).collect()))
}

/// Device numbers of the video nodes that decoders of this topology take their data from, or give it to.
fn video_nodes_of_decoders(topology: &Topology) -> Vec<(u32, u32)> {
    let is_of = |id: u32, function: u32| {
        let mut entities = topology.entities.iter();
        entities.any(|entity| entity.id == id && entity.function == function)
    };
    let owner = |pad: u32| {
        topology
            .pads
            .iter()
            .find(|other| other.id == pad)
            .map(|pad| pad.entity_id)
    };
    let links = |kind| topology.links.iter().filter(move |link| link.flags & LINK_TYPE == kind);
    let mut ends = Vec::new();
    for link in links(DATA_LINK) {
        let (Some(source), Some(sink)) = (owner(link.source_id), owner(link.sink_id)) else {
            continue;
        };
        for (decoder, end) in [(source, sink), (sink, source)] {
            if is_of(decoder, PROC_VIDEO_DECODER) && is_of(end, IO_V4L) {
                ends.push(end);
            }
        }
    }
    let mut numbers = Vec::new();
    for link in links(INTERFACE_LINK).filter(|link| ends.contains(&link.sink_id)) {
        let mut interfaces = topology.interfaces.iter();
        if let Some(video) = interfaces.find(|other| other.id == link.source_id && other.intf_type == INTF_V4L_VIDEO)
            && !numbers.contains(&video.device)
        {
            numbers.push(video.device);
        }
    }
    numbers
}

/// `/dev/NAME0`, `/dev/NAME1` ..., by their numbers.
fn nodes(name: &str) -> Vec<PathBuf> {
    let number = |path: &PathBuf| -> Option<u32> {
        let suffix = path.file_name()?.to_str()?.strip_prefix(name)?;
        suffix.parse().ok()
    };
    let entries = fs::read_dir(DEV).into_iter().flatten().flatten();
    let mut nodes: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| number(path).is_some())
        .collect();
    nodes.sort_by_key(number);
    nodes
}

/// The video node with these numbers.
fn node_path((major, minor): (u32, u32)) -> Option<PathBuf> {
    let is_it = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|node| {
            let device = node.rdev();
            node.file_type().is_char_device()
                && (nix::sys::stat::major(device), nix::sys::stat::minor(device)) == (major.into(), minor.into())
        })
    };
    let by_number = PathBuf::from(format!("{DEV}/char/{major}:{minor}"));
    nodes("video").into_iter().chain([by_number]).find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{Entity, Interface, Link, Pad};

    /// A memory-to-memory device as the kernel lays it out: source -> processor -> sink, one node for both ends. All ids
    /// begin at `base`.
    fn m2m(base: u32, function: u32, device: (u32, u32)) -> Topology {
        let entity = |id, function| Entity {
            id: base + id,
            name: format!("entity {id}"),
            function,
        };
        let pad = |id, entity| Pad {
            id: base + id,
            entity_id: base + entity,
        };
        let link = |source, sink, flags| Link {
            source_id: base + source,
            sink_id: base + sink,
            flags,
        };
        Topology {
            entities: vec![entity(1, IO_V4L), entity(3, function), entity(6, IO_V4L)],
            pads: vec![pad(2, 1), pad(4, 3), pad(5, 3), pad(7, 6)],
            interfaces: vec![Interface {
                id: base + 12,
                intf_type: INTF_V4L_VIDEO,
                device,
            }],
            links: vec![
                link(2, 4, 3),
                link(5, 7, 3),
                link(12, 1, INTERFACE_LINK | 3),
                link(12, 6, INTERFACE_LINK | 3),
            ],
        }
    }

    #[test]
    fn a_decoder_is_found_by_its_function_and_its_node_once() {
        let decoder = m2m(0, PROC_VIDEO_DECODER, (81, 3));
        assert_eq!(video_nodes_of_decoders(&decoder), [(81, 3)]);
        let encoder = m2m(0, 0x4007, (81, 4));
        assert_eq!(video_nodes_of_decoders(&encoder), []);
        assert_eq!(video_nodes_of_decoders(&Topology::default()), []);
    }

    #[test]
    fn a_decoder_next_to_an_encoder_is_told_apart() {
        let mut both = m2m(0, 0x4007, (81, 0));
        let decoder = m2m(100, PROC_VIDEO_DECODER, (81, 1));
        both.entities.extend(decoder.entities);
        both.pads.extend(decoder.pads);
        both.interfaces.extend(decoder.interfaces);
        both.links.extend(decoder.links);
        assert_eq!(video_nodes_of_decoders(&both), [(81, 1)]);
    }

    #[test]
    fn links_that_lead_nowhere_are_passed_over() {
        let mut broken = m2m(0, PROC_VIDEO_DECODER, (81, 3));
        broken.pads.clear();
        assert_eq!(video_nodes_of_decoders(&broken), []);
        let mut without_node = m2m(0, PROC_VIDEO_DECODER, (81, 3));
        without_node.interfaces.clear();
        assert_eq!(video_nodes_of_decoders(&without_node), []);
    }

    #[test]
    fn a_name_opens_what_it_names() {
        for (spec, path) in [
            ("soft", "soft"),
            ("soft:cedrus,threads=1", "soft:cedrus"),
            ("soft:threads=1", "soft"),
        ] {
            assert_eq!(open_device(Some(spec)).unwrap().capabilities().path, path);
        }
    }

    #[test]
    fn a_name_that_is_not_understood_says_so() {
        for spec in ["/dev/video77", "/dev/null", "/etc/hostname", "soft:nonsense", "softy"] {
            let error = open_device(Some(spec)).unwrap_err().to_string();
            assert!(error.contains(spec.trim_start_matches("soft:")), "{error}");
        }
    }
}
