//! Configs: profiles of H.264 and what applications ask about them before they decode.

use fourier_core::device::Capabilities;
use fourier_core::memory::MemoryKind;

use crate::driver::Driver;
use crate::ffi::{parameters, va};
use crate::format::SampleFormat;
use crate::status::{Result, Status};
use crate::surface::IMPORTED_TYPES;

/// Applications try the driver with surfaces of this size, which may be below what a device decodes: memory of any size
/// is made.
const MIN_SIDE: u32 = 64;

/// `VAProfileH264High10`, which libva has a name for since 2.18.
const PROFILE_H264_HIGH10: va::VAProfile = 36;

/// What surfaces may be given where they are dma-bufs: memory of the application, and how the driver's own may lie.
const ATTRIBUTES_OF_DMA_BUFS: [va::VASurfaceAttribType; 2] = [
    va::VASurfaceAttribExternalBufferDescriptor,
    va::VASurfaceAttribDRMFormatModifiers,
];

/// A profile that VA has a number for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Baseline without what nobody implements.
    ConstrainedBaseline,
    /// Main.
    Main,
    /// High, 8 bits of 4:2:0.
    High,
    /// High 10, up to 10 bits of 4:2:0.
    High10,
}

impl Profile {
    const ALL: [Self; 4] = [Self::ConstrainedBaseline, Self::Main, Self::High, Self::High10];

    /// `VAProfileH264*`.
    pub fn id(self) -> va::VAProfile {
        match self {
            Self::ConstrainedBaseline => va::VAProfileH264ConstrainedBaseline,
            Self::Main => va::VAProfileH264Main,
            Self::High => va::VAProfileH264High,
            Self::High10 => PROFILE_H264_HIGH10,
        }
    }

    /// `profile_idc` (annex A).
    pub fn profile_idc(self) -> u8 {
        match self {
            Self::ConstrainedBaseline => 66,
            Self::Main => 77,
            Self::High => 100,
            Self::High10 => 110,
        }
    }

    /// `constraint_set0_flag` in bit 0 and so on, as V4L2 numbers them.
    pub fn constraint_set_flags(self) -> u8 {
        match self {
            Self::ConstrainedBaseline => 1 << 1,
            Self::Main | Self::High | Self::High10 => 0,
        }
    }

    /// The most that `bit_depth_luma_minus8` and `bit_depth_chroma_minus8` may be.
    pub fn max_bit_depth_minus8(self) -> u8 {
        match self {
            Self::ConstrainedBaseline | Self::Main | Self::High => SampleFormat::Nv12.bit_depth_minus8(),
            Self::High10 => SampleFormat::P010.bit_depth_minus8(),
        }
    }

    /// Its streams have such samples. A High 10 stream may have 8 bits.
    fn has(self, format: SampleFormat) -> bool {
        format.bit_depth_minus8() <= self.max_bit_depth_minus8()
    }
}

/// What a context is made with.
#[derive(Debug)]
pub struct Config {
    /// The profile.
    pub profile: Profile,
    /// The formats that the application asked for, of those of the profile.
    formats: Vec<SampleFormat>,
}

impl Driver {
    /// `vaQueryConfigProfiles`.
    pub fn profiles(&self) -> Vec<va::VAProfile> {
        self.decoded_profiles().map(Profile::id).collect()
    }

    /// Those whose every stream the device decodes, as far as its limits go.
    fn decoded_profiles(&self) -> impl Iterator<Item = Profile> {
        let formats: Vec<_> = SampleFormat::of_device(self.capabilities()).collect();
        let is_given = move |format| formats.contains(&format);
        let is_decoded = move |profile: &Profile| match profile {
            Profile::ConstrainedBaseline | Profile::Main | Profile::High => true,
            Profile::High10 => is_given(SampleFormat::P010),
        };
        Profile::ALL.into_iter().filter(is_decoded)
    }

    /// What streams of `profile` may be decoded to, the format that is particular to it first.
    fn formats_of(&self, profile: Profile) -> Vec<SampleFormat> {
        let known = SampleFormat::of_device(self.capabilities());
        let mut formats: Vec<_> = known.filter(|&format| profile.has(format)).collect();
        formats.reverse();
        formats
    }

    /// The profile of that id.
    ///
    /// # Errors
    /// [`Status::UnsupportedProfile`].
    pub fn check_profile(&self, id: va::VAProfile) -> Result<Profile> {
        let found = self.decoded_profiles().find(|profile| profile.id() == id);
        found.ok_or_else(|| Status::UnsupportedProfile.because(format!("profile {id}")))
    }

    fn check_entrypoint(&self, profile: va::VAProfile, entrypoint: va::VAEntrypoint) -> Result<Profile> {
        let profile = self.check_profile(profile)?;
        if entrypoint != va::VAEntrypointVLD {
            return Err(Status::UnsupportedEntrypoint.because(format!("entrypoint {entrypoint}")));
        }
        Ok(profile)
    }

    /// `vaGetConfigAttributes`: fills in the values.
    ///
    /// # Errors
    /// [`Status::UnsupportedProfile`], [`Status::UnsupportedEntrypoint`]; never for an attribute.
    pub fn get_config_attributes(
        &self,
        profile: va::VAProfile,
        entrypoint: va::VAEntrypoint,
        list: &mut [va::VAConfigAttrib],
    ) -> Result {
        let formats = self.formats_of(self.check_entrypoint(profile, entrypoint)?);
        for attribute in list {
            let value = attribute_value(self.capabilities(), &formats, attribute.type_);
            attribute.value = value.unwrap_or(va::VA_ATTRIB_NOT_SUPPORTED);
        }
        Ok(())
    }

    /// `vaCreateConfig`. Attributes other than the format of render targets have nothing to choose.
    ///
    /// # Errors
    /// As [`Self::get_config_attributes`], and [`Status::UnsupportedRtFormat`].
    pub fn create_config(
        &self,
        profile: va::VAProfile,
        entrypoint: va::VAEntrypoint,
        list: &[va::VAConfigAttrib],
    ) -> Result<va::VAConfigID> {
        let profile = self.check_entrypoint(profile, entrypoint)?;
        let mut formats = self.formats_of(profile);
        let asked_for = list
            .iter()
            .filter(|attribute| attribute.type_ == va::VAConfigAttribRTFormat);
        for asked_for in asked_for {
            formats.retain(|format| asked_for.value & format.rt_format() != 0);
            if formats.is_empty() {
                let why = format!("render target format {:#x}", asked_for.value);
                return Err(Status::UnsupportedRtFormat.because(why));
            }
        }
        self.configs.insert(|_| Config { profile, formats })
    }

    /// `vaDestroyConfig`; contexts made with it live on.
    ///
    /// # Errors
    /// [`Status::InvalidConfig`].
    pub fn destroy_config(&self, id: va::VAConfigID) -> Result {
        self.configs.remove(id).map(drop)
    }

    /// `vaQueryConfigAttributes`.
    pub fn config_attributes(&self, config: &Config) -> Vec<va::VAConfigAttrib> {
        let known = [
            va::VAConfigAttribRTFormat,
            va::VAConfigAttribDecSliceMode,
            va::VAConfigAttribMaxPictureWidth,
            va::VAConfigAttribMaxPictureHeight,
        ];
        let attribute = |type_| {
            let value = attribute_value(self.capabilities(), &config.formats, type_)?;
            Some(va::VAConfigAttrib { type_, value })
        };
        known.into_iter().filter_map(attribute).collect()
    }

    /// `vaQuerySurfaceAttributes`.
    pub fn surface_attributes(&self, config: &Config) -> Vec<va::VASurfaceAttrib> {
        let capabilities = self.capabilities();
        let (min, max) = (capabilities.min_size, capabilities.max_size);
        // Applications take a memory type in the list for one that they can export, as the pixel format that they know.
        let is_stored = config.formats.iter().all(|format| format.is_stored_on(capabilities));
        let (memory_types, of_dma_bufs): (_, &[_]) = match capabilities.export_kind {
            MemoryKind::DmaBuf if is_stored => (IMPORTED_TYPES, &ATTRIBUTES_OF_DMA_BUFS),
            MemoryKind::DmaBuf | MemoryKind::MemFd => (&[][..], &[]),
        };
        let memory_types = memory_types
            .iter()
            .fold(va::VA_SURFACE_ATTRIB_MEM_TYPE_VA, |all, kind| all | kind);
        let get = va::VA_SURFACE_ATTRIB_GETTABLE;
        let get_and_set = get | va::VA_SURFACE_ATTRIB_SETTABLE;
        let formats = config.formats.iter();
        let pixel_formats = formats.map(|format| (va::VASurfaceAttribPixelFormat, get_and_set, format.fourcc()));
        let others = [
            (va::VASurfaceAttribMinWidth, get, min.width.min(MIN_SIDE)),
            (va::VASurfaceAttribMaxWidth, get, max.width),
            (va::VASurfaceAttribMinHeight, get, min.height.min(MIN_SIDE)),
            (va::VASurfaceAttribMaxHeight, get, max.height),
            (va::VASurfaceAttribMemoryType, get_and_set, memory_types),
        ];
        let attribute =
            |(kind, flags, value): (_, _, u32)| parameters::integer_attribute(kind, flags, value.cast_signed());
        let pointers = of_dma_bufs.iter().copied().map(parameters::pointer_attribute);
        pixel_formats.chain(others).map(attribute).chain(pointers).collect()
    }
}

/// The value of a config attribute; `None` = it has no meaning for this decoder.
fn attribute_value(capabilities: &Capabilities, formats: &[SampleFormat], kind: va::VAConfigAttribType) -> Option<u32> {
    let rt_formats = || formats.iter().fold(0, |all, format| all | format.rt_format());
    match kind {
        va::VAConfigAttribRTFormat => Some(rt_formats()),
        va::VAConfigAttribDecSliceMode => Some(va::VA_DEC_SLICE_MODE_NORMAL | va::VA_DEC_SLICE_MODE_BASE),
        va::VAConfigAttribMaxPictureWidth => Some(capabilities.max_size.width),
        va::VAConfigAttribMaxPictureHeight => Some(capabilities.max_size.height),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fourier_core::device::soft::{Personality, SoftDevice};
    use fourier_core::device::{DecoderDevice, DecoderNode};

    use super::*;

    /// A device whose memory is said to be of another kind than it is.
    #[derive(Debug)]
    struct Disguised(SoftDevice, Capabilities);

    impl DecoderDevice for Disguised {
        fn capabilities(&self) -> &Capabilities {
            &self.1
        }

        fn open(&self) -> fourier_core::Result<Arc<dyn DecoderNode>> {
            self.0.open()
        }
    }

    /// The attributes of surfaces that have a memory type or a pointer.
    fn of_memory(
        kind: MemoryKind,
        options: &str,
        profile: va::VAProfile,
    ) -> Vec<(va::VASurfaceAttribType, u32, Option<i32>)> {
        let soft = SoftDevice::new(Personality::parse(options).unwrap());
        let capabilities = Capabilities {
            export_kind: kind,
            ..soft.capabilities().clone()
        };
        let driver = Driver::on(Arc::new(Disguised(soft, capabilities))).unwrap();
        let config = driver.create_config(profile, va::VAEntrypointVLD, &[]).unwrap();
        let attributes = driver.surface_attributes(&driver.config(config).unwrap());
        let of_memory = attributes.iter().filter(|attribute| {
            attribute.type_ == va::VASurfaceAttribMemoryType || parameters::integer(attribute).is_none()
        });
        of_memory
            .map(|attribute| (attribute.type_, attribute.flags, parameters::integer(attribute)))
            .collect()
    }

    #[test]
    fn dma_bufs_are_offered_where_surfaces_are_dma_bufs() {
        let set = va::VA_SURFACE_ATTRIB_SETTABLE;
        let get_and_set = set | va::VA_SURFACE_ATTRIB_GETTABLE;
        let own = va::VA_SURFACE_ATTRIB_MEM_TYPE_VA;
        let [prime, prime_2] = [
            va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME,
            va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2,
        ];
        let memory_types = |types: u32| (va::VASurfaceAttribMemoryType, get_and_set, Some(types.cast_signed()));
        let nothing = [memory_types(own)];
        let offered = [
            memory_types(own | prime | prime_2),
            (va::VASurfaceAttribExternalBufferDescriptor, set, None),
            (va::VASurfaceAttribDRMFormatModifiers, set, None),
        ];
        let (high, high_10) = (va::VAProfileH264High, PROFILE_H264_HIGH10);
        assert_eq!(of_memory(MemoryKind::MemFd, "default", high), nothing);
        assert_eq!(of_memory(MemoryKind::DmaBuf, "default", high), offered);
        assert_eq!(of_memory(MemoryKind::DmaBuf, "default", high_10), offered);
        // Nobody would find P010 there.
        assert_eq!(of_memory(MemoryKind::DmaBuf, "format=NV15", high), offered);
        assert_eq!(of_memory(MemoryKind::DmaBuf, "format=NV15", high_10), nothing);
    }
}
