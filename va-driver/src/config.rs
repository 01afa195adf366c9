//! Configs: profiles of H.264 and what applications ask about them before they decode.

use fourier_core::device::Capabilities;
use fourier_core::memory::MemoryKind;

use crate::driver::Driver;
use crate::ffi::{parameters, va};
use crate::status::{Result, Status};

/// The smallest sizes that applications try surfaces with are below what some devices decode; memory of such sizes is
/// made all the same.
const MIN_SIDE: u32 = 16;

/// A profile that VA has a name for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Baseline without what nobody implements.
    ConstrainedBaseline,
    /// Main.
    Main,
    /// High, 8 bits of 4:2:0.
    High,
}

impl Profile {
    const ALL: [Self; 3] = [Self::ConstrainedBaseline, Self::Main, Self::High];

    /// `VAProfileH264*`.
    pub fn id(self) -> va::VAProfile {
        match self {
            Self::ConstrainedBaseline => va::VAProfileH264ConstrainedBaseline,
            Self::Main => va::VAProfileH264Main,
            Self::High => va::VAProfileH264High,
        }
    }

    /// `profile_idc` (annex A).
    pub fn profile_idc(self) -> u8 {
        match self {
            Self::ConstrainedBaseline => 66,
            Self::Main => 77,
            Self::High => 100,
        }
    }

    /// `constraint_set0_flag` in bit 0 and so on, as V4L2 numbers them.
    pub fn constraint_set_flags(self) -> u8 {
        match self {
            Self::ConstrainedBaseline => 1 << 1,
            Self::Main | Self::High => 0,
        }
    }
}

/// What a context is made with.
#[derive(Debug)]
pub struct Config {
    /// The profile.
    pub profile: Profile,
}

impl Driver {
    /// `vaQueryConfigProfiles`.
    pub fn profiles(&self) -> Vec<va::VAProfile> {
        Profile::ALL.map(Profile::id).to_vec()
    }

    /// The profile of that id.
    ///
    /// # Errors
    /// [`Status::UnsupportedProfile`].
    pub fn check_profile(&self, id: va::VAProfile) -> Result<Profile> {
        let found = Profile::ALL.into_iter().find(|profile| profile.id() == id);
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
        self.check_entrypoint(profile, entrypoint)?;
        for attribute in list {
            attribute.value =
                attribute_value(self.capabilities(), attribute.type_).unwrap_or(va::VA_ATTRIB_NOT_SUPPORTED);
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
        let formats = list
            .iter()
            .filter(|attribute| attribute.type_ == va::VAConfigAttribRTFormat);
        for format in formats {
            if format.value & va::VA_RT_FORMAT_YUV420 == 0 {
                return Err(Status::UnsupportedRtFormat.because(format!("render target format {:#x}", format.value)));
            }
        }
        self.configs.insert(|_| Config { profile })
    }

    /// `vaDestroyConfig`; contexts made with it live on.
    ///
    /// # Errors
    /// [`Status::InvalidConfig`].
    pub fn destroy_config(&self, id: va::VAConfigID) -> Result {
        self.configs.remove(id).map(drop)
    }

    /// `vaQueryConfigAttributes`.
    pub fn config_attributes(&self, _config: &Config) -> Vec<va::VAConfigAttrib> {
        let known = [
            va::VAConfigAttribRTFormat,
            va::VAConfigAttribDecSliceMode,
            va::VAConfigAttribMaxPictureWidth,
            va::VAConfigAttribMaxPictureHeight,
        ];
        let attribute = |type_| {
            let value = attribute_value(self.capabilities(), type_)?;
            Some(va::VAConfigAttrib { type_, value })
        };
        known.into_iter().filter_map(attribute).collect()
    }

    /// `vaQuerySurfaceAttributes`.
    pub fn surface_attributes(&self, _config: &Config) -> Vec<va::VASurfaceAttrib> {
        let capabilities = self.capabilities();
        let (min, max) = (capabilities.min_size, capabilities.max_size);
        let memory_types = match capabilities.export_kind {
            MemoryKind::DmaBuf => va::VA_SURFACE_ATTRIB_MEM_TYPE_VA | va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2,
            MemoryKind::MemFd => va::VA_SURFACE_ATTRIB_MEM_TYPE_VA,
        };
        let get = va::VA_SURFACE_ATTRIB_GETTABLE;
        let get_and_set = get | va::VA_SURFACE_ATTRIB_SETTABLE;
        [
            (va::VASurfaceAttribPixelFormat, get_and_set, va::VA_FOURCC_NV12),
            (va::VASurfaceAttribMinWidth, get, min.width.min(MIN_SIDE)),
            (va::VASurfaceAttribMaxWidth, get, max.width),
            (va::VASurfaceAttribMinHeight, get, min.height.min(MIN_SIDE)),
            (va::VASurfaceAttribMaxHeight, get, max.height),
            (va::VASurfaceAttribMemoryType, get_and_set, memory_types),
        ]
        .map(|(kind, flags, value)| parameters::integer_attribute(kind, flags, value.cast_signed()))
        .to_vec()
    }
}

/// The value of a config attribute; `None` = it has no meaning for this decoder.
fn attribute_value(capabilities: &Capabilities, kind: va::VAConfigAttribType) -> Option<u32> {
    match kind {
        va::VAConfigAttribRTFormat => Some(va::VA_RT_FORMAT_YUV420),
        va::VAConfigAttribDecSliceMode => Some(va::VA_DEC_SLICE_MODE_NORMAL | va::VA_DEC_SLICE_MODE_BASE),
        va::VAConfigAttribMaxPictureWidth => Some(capabilities.max_size.width),
        va::VAConfigAttribMaxPictureHeight => Some(capabilities.max_size.height),
        _ => None,
    }
}
