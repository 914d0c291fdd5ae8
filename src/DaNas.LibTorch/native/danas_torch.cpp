// A thin C border over libtorch: one function an operator, handles as pointers, errors as text.
// Compiled at set-up against the libtorch that is there (1.13 and 2.x, CPU and CUDA builds).
// Every function that makes a tensor returns nullptr on failure, every other one returns -1; danas_error() has libtorch's words.
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <malloc.h>
#include <torch/version.h>
#include <atomic>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

using at::Tensor;
using Handle = Tensor*;

namespace {
thread_local std::string last_error;
std::atomic<int64_t> live_tensors{0};

Handle wrap(Tensor t) {
  live_tensors.fetch_add(1, std::memory_order_relaxed);
  return new Tensor(std::move(t));
}

template <class F>
int attempt(F&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error& e) {
    last_error = e.what_without_backtrace();
  } catch (const std::exception& e) {
    last_error = e.what();
  } catch (...) {
    last_error = "unknown native error";
  }
  return -1;
}

template <class F>
Handle make(F&& body) noexcept {
  Handle result = nullptr;
  attempt([&] { result = wrap(body()); });
  return result;
}

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 5)
using Maybe = std::optional<Tensor>;
#else
using Maybe = c10::optional<Tensor>;
#endif
Maybe maybe(Handle h) { return h ? Maybe(*h) : Maybe(); }
at::IntArrayRef dims(const int64_t* values, int64_t count) { return at::IntArrayRef(values, static_cast<size_t>(count)); }
}  // namespace

// ---- the library -------------------------------------------------------------------------------------------------
API const char* danas_error() { return last_error.c_str(); }
API const char* danas_version() { return TORCH_VERSION; }
API int64_t danas_live_tensors() { return live_tensors.load(std::memory_order_relaxed); }
API int danas_threads() { return at::get_num_threads(); }
API int danas_set_threads(int n) { return attempt([&] { at::set_num_threads(n); }); }
API int danas_set_interop_threads(int n) { return attempt([&] { at::set_num_interop_threads(n); }); }
API int danas_cuda_available() { return at::hasCUDA() ? 1 : 0; }
API int danas_deterministic(int on) {
  return attempt([&] {
    at::globalContext().setBenchmarkCuDNN(false);
    at::globalContext().setDeterministicCuDNN(on != 0);
    at::globalContext().setDeterministicAlgorithms(on != 0, false);
    at::globalContext().setAllowTF32CuDNN(false);
  });
}
// Keeps the pages of freed activations in the process: by default glibc gives every block over 128 KiB back to the kernel and
// faults it in again at the next step.
API int danas_keep_pages() {
  return mallopt(M_MMAP_THRESHOLD, 1 << 30) + mallopt(M_TRIM_THRESHOLD, 2000 << 20) == 2 ? 0 : -1;
}
API int danas_grad_enabled() { return c10::GradMode::is_enabled() ? 1 : 0; }
API void danas_set_grad_enabled(int on) { c10::GradMode::set_enabled(on != 0); }
API const char* danas_capability() {
  static const std::string text = at::get_parallel_info();
  return text.c_str();
}
API const char* danas_cpu_capability() {
  static const std::string text = [] {
    const char* forced = std::getenv("ATEN_CPU_CAPABILITY");
    return std::string(forced ? forced : "default");
  }();
  return text.c_str();
}

// ---- life and data of a tensor -------------------------------------------------------------------------------------
API void danas_free(Handle t) {
  if (!t) return;
  live_tensors.fetch_sub(1, std::memory_order_relaxed);
  delete t;
}
API Handle danas_from_data(const void* data, const int64_t* shape, int64_t rank, int dtype, const char* device) {
  return make([&] {
    auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
    Tensor host = at::empty(dims(shape, rank), options);
    std::memcpy(host.data_ptr(), data, host.nbytes());
    c10::Device target{std::string(device)};
    return target.is_cpu() ? host : host.to(target);
  });
}
API Handle danas_full(const int64_t* shape, int64_t rank, double value, int dtype, const char* device) {
  return make([&] {
    return at::full(dims(shape, rank), value, at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)).device(std::string(device)));
  });
}
API int64_t danas_rank(Handle t) { return t->dim(); }
API void danas_shape(Handle t, int64_t* out) {
  auto sizes = t->sizes();
  std::copy(sizes.begin(), sizes.end(), out);
}
API int64_t danas_numel(Handle t) { return t->numel(); }
API int danas_dtype(Handle t) { return static_cast<int>(t->scalar_type()); }
API int danas_is_cpu(Handle t) { return t->device().is_cpu() ? 1 : 0; }
API int danas_is_contiguous(Handle t) { return t->is_contiguous() ? 1 : 0; }
API int64_t danas_nbytes(Handle t) { return static_cast<int64_t>(t->nbytes()); }
API void* danas_data(Handle t) {
  void* result = nullptr;
  attempt([&] { result = t->data_ptr(); });
  return result;
}
API Handle danas_to_device(Handle t, const char* device) { return make([&] { return t->to(c10::Device(std::string(device))); }); }
API Handle danas_to_dtype(Handle t, int dtype) { return make([&] { return t->to(static_cast<at::ScalarType>(dtype)); }); }
API Handle danas_alias(Handle t) { return make([&] { return *t; }); }
API Handle danas_clone(Handle t) { return make([&] { return t->clone(); }); }
API Handle danas_detach(Handle t) { return make([&] { return t->detach(); }); }
API int danas_copy_(Handle t, Handle source) { return attempt([&] { t->copy_(*source); }); }
API int danas_zero_(Handle t) { return attempt([&] { t->zero_(); }); }

// ---- gradients -----------------------------------------------------------------------------------------------------
API int danas_requires_grad(Handle t) { return t->requires_grad() ? 1 : 0; }
API int danas_set_requires_grad(Handle t, int on) { return attempt([&] { t->set_requires_grad(on != 0); }); }
API int danas_backward(Handle t) { return attempt([&] { t->backward(); }); }
API int danas_has_grad(Handle t) { return t->grad().defined() ? 1 : 0; }
API Handle danas_grad(Handle t) { return make([&] { return t->grad(); }); }
API int danas_set_grad(Handle t, Handle grad) { return attempt([&] { t->mutable_grad() = grad ? *grad : Tensor(); }); }

// ---- arithmetic ------------------------------------------------------------------------------------------------------
API Handle danas_add(Handle a, Handle b) { return make([&] { return at::add(*a, *b); }); }
API Handle danas_sub(Handle a, Handle b) { return make([&] { return at::sub(*a, *b); }); }
API Handle danas_mul(Handle a, Handle b) { return make([&] { return at::mul(*a, *b); }); }
API Handle danas_div(Handle a, Handle b) { return make([&] { return at::div(*a, *b); }); }
API Handle danas_add_scalar(Handle a, double b) { return make([&] { return at::add(*a, b); }); }
API Handle danas_mul_scalar(Handle a, double b) { return make([&] { return at::mul(*a, b); }); }
API int danas_add_(Handle a, Handle b, double alpha) { return attempt([&] { a->add_(*b, alpha); }); }
API int danas_mul_scalar_(Handle a, double b) { return attempt([&] { a->mul_(b); }); }
API Handle danas_eq(Handle a, Handle b) { return make([&] { return at::eq(*a, *b); }); }
API Handle danas_sqrt(Handle a) { return make([&] { return at::sqrt(*a); }); }
API Handle danas_exp(Handle a) { return make([&] { return at::exp(*a); }); }
API Handle danas_log(Handle a) { return make([&] { return at::log(*a); }); }
API Handle danas_clamp_min(Handle a, double low) { return make([&] { return at::clamp_min(*a, low); }); }
API Handle danas_sum(Handle a) { return make([&] { return at::sum(*a); }); }
API Handle danas_mean(Handle a) { return make([&] { return at::mean(*a); }); }
API Handle danas_mean_dims(Handle a, const int64_t* d, int64_t n, int keep) {
  return make([&] { return at::mean(*a, dims(d, n), keep != 0); });
}
API Handle danas_argmax(Handle a, int64_t dim) { return make([&] { return at::argmax(*a, dim); }); }
API Handle danas_softmax(Handle a, int64_t dim) { return make([&] { return at::softmax(*a, dim); }); }
API Handle danas_log_softmax(Handle a, int64_t dim) { return make([&] { return at::log_softmax(*a, dim); }); }

// ---- shape -----------------------------------------------------------------------------------------------------------
API Handle danas_reshape(Handle a, const int64_t* d, int64_t n) { return make([&] { return a->reshape(dims(d, n)); }); }
API Handle danas_permute(Handle a, const int64_t* d, int64_t n) { return make([&] { return a->permute(dims(d, n)); }); }
API Handle danas_contiguous(Handle a) { return make([&] { return a->contiguous(); }); }
API Handle danas_index_select(Handle a, int64_t dim, Handle index) { return make([&] { return at::index_select(*a, dim, *index); }); }
API Handle danas_select(Handle a, int64_t dim, int64_t index) { return make([&] { return at::select(*a, dim, index); }); }
API Handle danas_cat(Handle* list, int64_t count, int64_t dim) {
  return make([&] {
    std::vector<Tensor> parts;
    for (int64_t i = 0; i < count; i++) parts.push_back(*list[i]);
    return at::cat(parts, dim);
  });
}

// ---- network ---------------------------------------------------------------------------------------------------------
API Handle danas_relu(Handle a, int inplace) { return make([&] { return inplace ? at::relu_(*a) : at::relu(*a); }); }
API Handle danas_relu6(Handle a, int inplace) {
  return make([&] { return inplace ? at::hardtanh_(*a, 0, 6) : at::hardtanh(*a, 0, 6); });
}
API Handle danas_silu(Handle a, int inplace) { return make([&] { return inplace ? at::silu_(*a) : at::silu(*a); }); }
API Handle danas_sigmoid(Handle a) { return make([&] { return at::sigmoid(*a); }); }
API Handle danas_linear(Handle x, Handle w, Handle b) { return make([&] { return at::linear(*x, *w, maybe(b)); }); }
API Handle danas_conv2d(Handle x, Handle w, Handle b, int64_t stride, int64_t padding, int64_t dilation, int64_t groups) {
  return make([&] {
    return at::conv2d(*x, *w, maybe(b), {stride, stride}, {padding, padding}, {dilation, dilation}, groups);
  });
}
API Handle danas_batch_norm(Handle x, Handle mean, Handle var, Handle w, Handle b, int training, double momentum, double eps) {
  return make([&] {
    return at::batch_norm(*x, maybe(w), maybe(b), maybe(mean), maybe(var), training != 0, momentum, eps, true);
  });
}
API Handle danas_cross_entropy(Handle logits, Handle target, int reduction, double smoothing) {
  return make([&] { return at::cross_entropy_loss(*logits, *target, {}, reduction, -100, smoothing); });
}

// ---- one call for a whole optimiser step (an optional capability: the engine has a plain fallback) ------------------
// SGD with momentum and decoupled-from-nothing weight decay (added to the gradient), as in Sutskever et al. 2013 and PyTorch:
//   b <- m b + (g + d w);  w <- w - lr b.   A parameter without a gradient is left untouched, its buffer too.
API int danas_sgd_step(Handle* params, Handle* buffers, const double* decay, int64_t count, double lr, double momentum) {
  return attempt([&] {
    c10::impl::ExcludeDispatchKeyGuard no_autograd(c10::autograd_dispatch_keyset);
    for (int64_t i = 0; i < count; i++) {
      Tensor& w = *params[i];
      const Tensor& g = w.grad();
      if (!g.defined()) continue;
      Tensor& b = *buffers[i];
      const bool plain = w.device().is_cpu() && w.scalar_type() == at::kFloat && w.is_contiguous() && g.is_contiguous() && b.is_contiguous();
      if (plain) {
        float* wp = static_cast<float*>(w.data_ptr());
        float* bp = static_cast<float*>(b.data_ptr());
        const float* gp = static_cast<const float*>(g.data_ptr());
        const int64_t n = w.numel();
        const float d = static_cast<float>(decay[i]), m = static_cast<float>(momentum), rate = static_cast<float>(lr);
        for (int64_t k = 0; k < n; k++) {
          const float next = m * bp[k] + (gp[k] + d * wp[k]);
          bp[k] = next;
          wp[k] -= rate * next;
        }
      } else {
        b.mul_(momentum).add_(g).add_(w, decay[i]);
        w.add_(b, -lr);
      }
    }
  });
}
API int danas_zero_grads(Handle* params, int64_t count) {
  return attempt([&] {
    for (int64_t i = 0; i < count; i++) params[i]->mutable_grad() = Tensor();
  });
}
