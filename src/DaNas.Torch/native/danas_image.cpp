// JPEG through libjpeg-turbo and PNG through libpng, both to interleaved 8-bit RGB. Errors as text, no global state.
#include <png.h>
#include <turbojpeg.h>
#include <cstring>
#include <string>

#define API extern "C" __attribute__((visibility("default")))

namespace {
thread_local std::string last_error;
int fail(const std::string& why) {
  last_error = why;
  return -1;
}
bool is_png(const unsigned char* d, unsigned long n) { return n >= 8 && png_sig_cmp(const_cast<unsigned char*>(d), 0, 8) == 0; }
bool is_jpeg(const unsigned char* d, unsigned long n) { return n >= 3 && d[0] == 0xFF && d[1] == 0xD8 && d[2] == 0xFF; }

struct Turbo {
  tjhandle handle = tjInitDecompress();
  ~Turbo() { if (handle) tjDestroy(handle); }
};
}  // namespace

API const char* danas_image_error() { return last_error.c_str(); }
API const char* danas_image_version() { return "turbojpeg+libpng " PNG_LIBPNG_VER_STRING; }

// Width and height of an encoded picture. 0, or -1 and danas_image_error().
API int danas_image_size(const unsigned char* data, unsigned long size, int* width, int* height) {
  if (is_jpeg(data, size)) {
    Turbo turbo;
    int sub = 0, space = 0;
    if (tjDecompressHeader3(turbo.handle, data, size, width, height, &sub, &space) != 0) return fail(tjGetErrorStr2(turbo.handle));
    return 0;
  }
  if (is_png(data, size)) {
    png_image image;
    std::memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, data, size)) return fail(image.message);
    *width = static_cast<int>(image.width);
    *height = static_cast<int>(image.height);
    png_image_free(&image);
    return 0;
  }
  return fail("neither a JPEG nor a PNG file");
}

// Decodes into out [height, width, 3], uint8. A truncated picture is an error, never half a picture.
API int danas_image_decode(const unsigned char* data, unsigned long size, unsigned char* out, int width, int height) {
  if (is_jpeg(data, size)) {
    Turbo turbo;
    if (tjDecompress2(turbo.handle, data, size, out, width, 0, height, TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING) != 0)
      return fail(tjGetErrorStr2(turbo.handle));
    return 0;
  }
  if (is_png(data, size)) {
    png_image image;
    std::memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, data, size)) return fail(image.message);
    image.format = PNG_FORMAT_RGB;
    png_color background = {0, 0, 0};
    if (!png_image_finish_read(&image, &background, out, width * 3, nullptr)) return fail(image.message);
    return 0;
  }
  return fail("neither a JPEG nor a PNG file");
}
