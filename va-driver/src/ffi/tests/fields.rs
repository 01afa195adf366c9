//! Two fields in one surface: when the device may keep its buffer for the second one, and when it must let go of it.

use fourier_core::device::fault::{FaultyDevice, Verb};
use fourier_core::device::soft::{Personality, SoftDevice};
use fourier_core::h264::Parity;

use super::*;

/// One macroblock to each field.
const SIZE: (i32, i32) = (16, 32);

/// Fields of one shade, decoded into one surface of a display that counts what its device is called for.
struct Fields {
    device: Arc<FaultyDevice>,
    display: Display,
    context: va::VAContextID,
    surface: va::VASurfaceID,
}

impl Fields {
    fn new(options: &str) -> Self {
        let soft = SoftDevice::new(Personality::parse(options).unwrap());
        let device = Arc::new(FaultyDevice::new(Arc::new(soft)));
        let mut display = Display::on(Arc::clone(&device) as _);
        let (config, surface) = (display.config(), display.surface(SIZE.0, SIZE.1));
        let mut context = 0;
        let (width, height) = SIZE;
        let made = call!(
            display,
            vaCreateContext,
            config,
            width,
            height,
            1,
            null_mut(),
            0,
            &mut context
        );
        assert_eq!(made, SUCCESS);
        Self {
            device,
            display,
            context,
            surface,
        }
    }

    /// An image of the surface's memory: it has been looked at from now on.
    fn derive(&mut self) -> va::VAImage {
        let mut image = va::VAImage::default();
        assert_eq!(call!(self.display, vaDeriveImage, self.surface, &mut image), SUCCESS);
        image
    }

    /// An intra field of that parity, of which every sample is `shade`.
    fn decode(&mut self, parity: Parity, shade: u8) {
        let (nal, header_bits) = field(parity, shade);
        let picture = picture_parameters(parity, self.surface);
        let slice = va::VASliceParameterBufferH264 {
            slice_data_size: nal.len() as u32,
            slice_data_bit_offset: header_bits,
            slice_type: 2,
            ..Default::default()
        };
        let mut buffers = [
            self.buffer(va::VAPictureParameterBufferType, &picture, 1),
            self.buffer(va::VASliceParameterBufferType, &slice, 1),
            self.buffer(va::VASliceDataBufferType, nal.as_slice(), nal.len()),
        ];
        let Self {
            display,
            context,
            surface,
            ..
        } = self;
        assert_eq!(call!(display, vaBeginPicture, *context, *surface), SUCCESS);
        let rendered = call!(display, vaRenderPicture, *context, buffers.as_mut_ptr(), 3);
        assert_eq!(rendered, SUCCESS);
        assert_eq!(call!(display, vaEndPicture, *context), SUCCESS);
    }

    fn buffer<T: ?Sized>(&mut self, kind: va::VABufferType, value: &T, elements: usize) -> va::VABufferID {
        let (size, data) = (size_of_val(value) / elements, (&raw const *value).cast_mut().cast());
        let (size, elements, mut id) = (size as u32, elements as u32, 0);
        let made = call!(
            self.display,
            vaCreateBuffer,
            self.context,
            kind,
            size,
            elements,
            data,
            &mut id
        );
        assert_eq!(made, SUCCESS);
        id
    }

    /// The first luma samples of the first two rows of an image.
    fn shades(&mut self, image: &va::VAImage) -> [u8; 2] {
        let mut address: *mut c_void = null_mut();
        assert_eq!(call!(self.display, vaMapBuffer, image.buf, &mut address), SUCCESS);
        let rows = [0, 1].map(|y| {
            let place = address
                .cast::<u8>()
                .wrapping_add((image.offsets[0] + y * image.pitches[0]) as usize);
            // SAFETY: the buffer is mapped, and the row is within it.
            unsafe { place.read_volatile() }
        });
        assert_eq!(call!(self.display, vaUnmapBuffer, image.buf), SUCCESS);
        rows
    }

    /// The same of a copy of the surface.
    fn copied_shades(&mut self) -> [u8; 2] {
        let mut format = va::VAImageFormat {
            fourcc: va::VA_FOURCC_NV12,
            ..Default::default()
        };
        let mut image = va::VAImage::default();
        let (width, height) = SIZE;
        let made = call!(self.display, vaCreateImage, &mut format, width, height, &mut image);
        assert_eq!(made, SUCCESS);
        let (surface, image_id) = (self.surface, image.image_id);
        let (columns, rows) = (width as u32, height as u32);
        assert_eq!(
            call!(self.display, vaGetImage, surface, 0, 0, columns, rows, image_id),
            SUCCESS
        );
        self.shades(&image)
    }

    fn flushes(&self) -> u32 {
        self.device.calls(Verb::Flush)
    }
}

/// The NAL unit of a field of a single I_PCM macroblock, and the bits of its header.
fn field(parity: Parity, shade: u8) -> (Vec<u8>, u16) {
    let (nal_header, slice_header) = match parity {
        // first_mb_in_slice, slice_type, pic_parameter_set_id; frame_num; field_pic_flag, bottom_field_flag; idr_pic_id;
        // no_output_of_prior_pics_flag, long_term_reference_flag; slice_qp_delta.
        Parity::Top => (0x65, "1 0001000 1 0000 10 1 00 1"),
        // The same of a picture that is no IDR picture: adaptive_ref_pic_marking_mode_flag.
        Parity::Bottom => (0x61, "1 0001000 1 0000 11 0 1"),
    };
    let header: String = slice_header.split(' ').collect();
    let i_pcm = "000011010";
    let mut bits = header.clone() + i_pcm;
    bits.extend(std::iter::repeat_n('0', bits.len().next_multiple_of(8) - bits.len()));
    let mut nal = vec![nal_header];
    nal.extend(bits.as_bytes().chunks(8).map(|byte| {
        let text = std::str::from_utf8(byte).unwrap();
        u8::from_str_radix(text, 2).unwrap()
    }));
    nal.extend([shade; 384]);
    nal.push(0x80);
    (nal, 8 + header.len() as u16)
}

fn picture_parameters(parity: Parity, surface: va::VASurfaceID) -> va::VAPictureParameterBufferH264 {
    let mut sequence = va::_VAPictureParameterBufferH264__bindgen_ty_1__bindgen_ty_1::default();
    sequence.set_chroma_format_idc(1);
    sequence.set_direct_8x8_inference_flag(1);
    sequence.set_pic_order_cnt_type(2);
    let mut fields = va::_VAPictureParameterBufferH264__bindgen_ty_2__bindgen_ty_1::default();
    fields.set_field_pic_flag(1);
    fields.set_reference_pic_flag(1);
    let mut picture = va::VAPictureParameterBufferH264 {
        seq_fields: va::_VAPictureParameterBufferH264__bindgen_ty_1 { bits: sequence },
        pic_fields: va::_VAPictureParameterBufferH264__bindgen_ty_2 { bits: fields },
        picture_height_in_mbs_minus1: 1,
        num_ref_frames: 1,
        ..Default::default()
    };
    picture.CurrPic.picture_id = surface;
    picture.CurrPic.flags = match parity {
        Parity::Top => va::VA_PICTURE_H264_TOP_FIELD,
        Parity::Bottom => va::VA_PICTURE_H264_BOTTOM_FIELD,
    };
    for reference in &mut picture.ReferenceFrames {
        (reference.picture_id, reference.flags) = (va::VA_INVALID_SURFACE, va::VA_PICTURE_H264_INVALID);
    }
    picture
}

/// A call that waits for the picture of the surface.
type Ask = fn(&mut Fields);

#[test]
fn both_fields_go_into_one_buffer_although_somebody_has_looked_at_the_surface() {
    for options in ["default", "import=off"] {
        let mut fields = Fields::new(options);
        let image = fields.derive();
        fields.decode(Parity::Top, 40);
        fields.decode(Parity::Bottom, 200);
        assert_eq!(fields.flushes(), 0, "{options}: nothing was to be let go of");
        assert_eq!(fields.device.calls(Verb::QueueCapture), 1, "{options}");
        assert_eq!(fields.shades(&image), [40, 200], "{options}");
    }
}

#[test]
fn a_lone_field_is_let_go_of_when_somebody_asks_for_its_surface() {
    let sync = |fields: &mut Fields| {
        assert_eq!(call!(fields.display, vaSyncSurface, fields.surface), SUCCESS);
    };
    let sync_in_time = |fields: &mut Fields| {
        let a_minute = 60_000_000_000;
        assert_eq!(call!(fields.display, vaSyncSurface2, fields.surface, a_minute), SUCCESS);
    };
    let get = |fields: &mut Fields| assert_eq!(fields.copied_shades(), [40; 2]);
    let derive = |fields: &mut Fields| assert_eq!(fields.derive().format.fourcc, va::VA_FOURCC_NV12);
    let ways: [(&str, Ask); 4] = [
        ("vaSyncSurface", sync),
        ("vaSyncSurface2", sync_in_time),
        ("vaGetImage", get),
        ("vaDeriveImage", derive),
    ];
    for options in ["default", "import=off"] {
        for (name, ask) in ways {
            let mut fields = Fields::new(options);
            let image = fields.derive();
            fields.decode(Parity::Top, 40);
            let mut status = 0;
            assert_eq!(
                call!(fields.display, vaQuerySurfaceStatus, fields.surface, &mut status),
                SUCCESS
            );
            assert_eq!(
                status,
                va::VASurfaceReady,
                "{options}, {name}: complete when its request is"
            );
            assert_eq!(fields.flushes(), 0, "{options}, {name}: the other field may follow");
            ask(&mut fields);
            assert_eq!(fields.flushes(), 1, "{options}, {name}");
            assert_eq!(fields.shades(&image), [40; 2], "{options}, {name}: in the rows of both");
            assert_eq!(fields.flushes(), 1, "{options}, {name}: once is enough");
            // The other field comes after all.
            fields.decode(Parity::Bottom, 200);
            assert_eq!(fields.shades(&image), [40, 200], "{options}, {name}");
        }
    }
}

#[test]
fn a_lone_field_is_let_go_of_when_its_context_goes() {
    for options in ["default", "import=off"] {
        let mut fields = Fields::new(options);
        let image = fields.derive();
        fields.decode(Parity::Bottom, 200);
        assert_eq!(call!(fields.display, vaDestroyContext, fields.context), SUCCESS);
        assert_eq!(fields.flushes(), 1, "{options}");
        assert_eq!(fields.shades(&image), [200; 2], "{options}");
    }
}
