using System.Diagnostics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DaNas.Torch.Tests;

public sealed class BindingTests
{
    [Fact]
    public void Errors_carry_libtorchs_own_words()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor a = zeros([2, 3]);
        Tensor b = zeros([4, 5]);
        Should.Throw<ExternalException>(() => a + b).Message.ShouldContain("must match the size");
        Should.Throw<ArgumentException>(() => tensor([1f, 2f], [3]));
    }

    [Fact]
    public void A_gradient_is_null_until_there_is_one_and_null_again_after_a_step()
    {
        using DisposeScope scope = NewDisposeScope();
        TorchSharp.Modules.Parameter w = nn.Parameter(ones([3]));
        w.grad.ShouldBeNull();
        (w * w).sum().backward();
        w.grad!.data<float>().ToArray().ShouldBe([2f, 2f, 2f]);
        Tensor buffer = zeros([3]);
        native.sgd_step([w], [buffer], [0.5], 0.1, 0.9);
        native.null_grads([w]);
        w.grad.ShouldBeNull();
        buffer.data<float>().ToArray().ShouldBe([2.5f, 2.5f, 2.5f]);
        w.detach().data<float>().ToArray().ShouldBe([0.75f, 0.75f, 0.75f]);
        w.Dispose();
    }

    [Fact]
    public void A_scope_frees_what_was_made_in_it_and_spares_what_was_moved_out()
    {
        long before = LiveTensors;
        using (DisposeScope outer = NewDisposeScope())
        {
            Tensor kept;
            using (DisposeScope inner = NewDisposeScope())
            {
                kept = (ones([4]) * 2.0).MoveToOuterDisposeScope();
                inner.DisposablesCount.ShouldBe(1);
            }

            kept.sum().item<float>().ShouldBe(8f);
            LiveTensors.ShouldBe(before + 2);
        }

        LiveTensors.ShouldBe(before);
    }

    [Fact]
    public void Five_thousand_training_steps_leave_tensor_count_and_memory_flat()
    {
        TorchBinding.Prepare(1);
        using DisposeScope all = NewDisposeScope();
        TorchSharp.Modules.Parameter w = nn.Parameter(ones([8, 3, 3, 3]) * 0.1);
        TorchSharp.Modules.Parameter v = nn.Parameter(ones([5, 8]) * 0.1);
        Tensor[] buffers = [zeros([8, 3, 3, 3]), zeros([5, 8])];
        Tensor x_NCHW = ones([8, 3, 8, 8]);
        Tensor labels = tensor([0L, 1, 2, 3, 4, 0, 1, 2]);
        Steps(500);
        (long tensors, long memory) = (LiveTensors, Rss());
        Steps(4500);
        LiveTensors.ShouldBe(tensors);
        ((double)Rss() / memory).ShouldBeLessThan(1.05);
        w.Dispose();
        v.Dispose();

        void Steps(int count)
        {
            for (int i = 0; i < count; i++)
            {
                using DisposeScope step = NewDisposeScope();
                Tensor y = nn.functional.relu(nn.functional.conv2d(x_NCHW, w, padding: [1, 1]), inplace: true);
                nn.functional.cross_entropy(nn.functional.linear(y.mean([2, 3]), v), labels).backward();
                native.sgd_step([w, v], buffers, [0, 0], 0.01, 0.9);
                native.null_grads([w, v]);
            }
        }
    }

    private static long Rss()
    {
        using Process self = Process.GetCurrentProcess();
        self.Refresh();
        return self.WorkingSet64;
    }
}
