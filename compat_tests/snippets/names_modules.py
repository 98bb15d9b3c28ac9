"""Modules with inputs they don't take: dtypes, dims, numbers, nothing; found by sweeping all of them."""

# In [inputs of another dtype]
def tell(m, *xs):
    try:
        y = m(*xs)
        y = y[0] if isinstance(y, tuple) else y
        return f"{tuple(y.shape)} {y.dtype} {y.double().abs().sum().item():.4f}" if y.dtype.is_floating_point else f"{tuple(y.shape)} {y.dtype}"
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0]}"
x = torch.linspace(-0.3, 0.7, 128).view(2, 4, 4, 4)
for text in """
nn.Bilinear(4, 4, 5)
nn.ConvTranspose2d(4, 6, 3)
nn.MaxPool2d(2)
nn.AvgPool2d(2)
nn.LPPool2d(2, 2)
nn.AdaptiveAvgPool2d(2)
nn.AdaptiveMaxPool2d(2)
nn.FractionalMaxPool2d(2, 2)
nn.ReflectionPad2d(1)
nn.ReplicationPad2d(1)
nn.Hardtanh()
nn.ReLU6()
nn.RReLU(0.1, 0.3)
nn.BatchNorm2d(4, affine=False)
nn.GroupNorm(2, 4)
nn.LayerNorm(4)
nn.MSELoss()
nn.BCEWithLogitsLoss()
nn.Upsample(8)
""".strip().splitlines():
    for dtype in (torch.float64, torch.int64, torch.bool, torch.complex64):
        if dtype is torch.complex64 and "ConvT" in text or dtype is not torch.complex64 and "Frac" in text: continue
        torch.manual_seed(0)
        m = eval(text)
        y = x.to(dtype)
        print(text, dtype, tell(m, y, y) if "Bilinear" in text or "Loss" in text else tell(m, y))
for text, shape in (("nn.MaxPool1d(2)", (2, 4, 4)), ("nn.AdaptiveMaxPool3d(2)", (2, 4, 4, 4)), ("nn.AdaptiveAvgPool3d(2)", (2, 4, 4, 4)), ("nn.AvgPool3d(2)", (2, 4, 4, 4))):
    for dtype in (torch.float64, torch.int64, torch.bool, torch.complex64):
        print(text, dtype, tell(eval(text), x.flatten()[:torch.Size(shape).numel()].view(shape).to(dtype)))
for dtype in (torch.int64, torch.bool, torch.complex64):
    print("nn.NLLLoss", dtype, tell(nn.NLLLoss(), x[0, 0].to(dtype), torch.tensor([0, 1, 2, 3])))
    print("nn.MaxUnpool2d", dtype, tell(nn.MaxUnpool2d(2), x[:1, :1, :2, :2].to(dtype), torch.tensor([[[[0, 3], [8, 15]]]])))
for dtype in (torch.float16, torch.int64, torch.complex64):
    print("nn.CTCLoss", dtype, tell(nn.CTCLoss(), x[0, :, :1].to(dtype), torch.tensor([[1]]), torch.tensor([3]), torch.tensor([1])))
for dtype in (torch.float16, torch.int64):
    print("nn.MultiMarginLoss", dtype, tell(nn.MultiMarginLoss(), x[0, 0].long(), torch.tensor([0, 1, 2, 3])))
    print("nn.MultiLabelMarginLoss", dtype, tell(nn.MultiLabelMarginLoss(), x[0, 0].long(), torch.zeros(4, 4).long()))

# In [inputs without elements, of too many dims, none]
def tell(m, *xs):
    try:
        y = m(*xs)
        y = y[0] if isinstance(y, tuple) else y
        return f"{tuple(y.shape)} {y.dtype}"
    except Exception as e: return f"{type(e).__name__}: {str(e).splitlines()[0]}"
for text in """
nn.AvgPool2d(2)
nn.AvgPool3d(2)
nn.FractionalMaxPool2d(2, 2)
nn.FractionalMaxPool3d(2, 2)
nn.ChannelShuffle(2)
nn.PixelUnshuffle(2)
nn.Conv2d(1, 1, 1)
nn.ConvTranspose2d(1, 1, 1)
nn.MaxPool1d(2)
nn.MaxPool2d(2)
nn.MaxPool3d(2)
nn.AdaptiveMaxPool1d(2)
nn.Unfold(2)
nn.Fold(2, 2)
nn.ReflectionPad2d(1)
nn.ConstantPad1d(1, 2)
nn.Hardtanh()
nn.ReLU()
nn.ReLU6()
nn.RReLU(0.1, 0.3)
nn.LayerNorm(4)
nn.RMSNorm(4)
nn.Dropout(0.)
nn.AlphaDropout(0.)
nn.FeatureAlphaDropout(0.)
nn.Dropout(0.5)
""".strip().splitlines():
    print(text, "number", tell(eval(text), 3))
    if "Pad" not in text: print(text, "nothing", tell(eval(text)))
    if "Avg" in text: print(text, "empty", tell(eval(text), torch.zeros(0, 0, 0, 0)))
    if "Avg" in text or "Frac" in text: print(text, "dims", tell(eval(text), torch.zeros(2, 2, 2, 2, 2, 2)))
    if "Shuffle" in text: print(text, "batch", tell(eval(text), torch.zeros(0, 4, 4, 4)))

# In [functions and modules made of them are pickled]
import pickle, copy
for f in (F.relu, torch.add, torch.stack, F.gelu, F.cross_entropy, torch.special.expit, torch.linalg.inv, torch.celu_, F.linear, torch.cat, torch.where, torch.fft.fft, F.silu, torch.arccos, torch.dropout, torch.lstm):
    print(f.__name__.split("_", 1)[-1], pickle.loads(pickle.dumps(f)) is f, copy.deepcopy(f) is f)
torch.manual_seed(0)
m = nn.TransformerEncoderLayer(8, 2, 16, 0.).eval()
n = pickle.loads(pickle.dumps(m))
x = torch.rand(3, 2, 8)
print(torch.equal(m(x), n(x)), n.activation is F.relu)
