"""The modules: one line per case, an expression that builds it and one that makes its inputs.

    ("nn.Linear(3, 2)", "real(4, 3)")
    ("nn.Linear(3)", "")                       # an error: its type and text are compared

Both are evaluated with `nn`, `torch`, `F`, and `real`, `positive`, `ints`, whose numbers depend
only on their arguments. `observe` tells everything that must be the same: text, state, initial
values for a seed, results, gradients, warnings.
"""

import warnings

import numpy as np

CASES = [
    # ----- linear, embedding -----
    ("nn.Identity(1, a=2)", "real(2, 3)"),
    ("nn.Linear(3, 2)", "real(4, 3)"),
    ("nn.Linear(3, 2, bias=False, dtype=torch.float64)", "real(2, 2, 3).double()"),
    ("nn.Linear(3)", ""),
    ("nn.Linear(3, 2)", "real(4, 2)"),
    ("nn.Bilinear(2, 3, 2)", "real(4, 2), real(4, 3)"),
    ("nn.Bilinear(2, 3, 2, bias=False)", "real(2), real(3)"),
    ("nn.Bilinear(0, 3, 2)", ""),
    ("nn.Embedding(5, 3)", "ints(5, 2, 4)"),
    ("nn.Embedding(5, 3, padding_idx=-1)", "ints(5, 2, 4)"),
    ("nn.Embedding(5, 3, padding_idx=1, max_norm=1.5, norm_type=1.0, scale_grad_by_freq=True)",
     "ints(5, 6)"),
    ("nn.Embedding(5, 3, padding_idx=5)", ""),
    ("nn.Embedding(5, 3, _weight=torch.zeros(5, 2))", ""),
    ("nn.Embedding.from_pretrained(real(4, 2))", "ints(4, 3)"),
    ("nn.Embedding.from_pretrained(real(4, 2), freeze=False, padding_idx=0)", "ints(4, 3)"),
    ("nn.Embedding.from_pretrained(real(4))", ""),
    ("nn.EmbeddingBag(5, 3)", "ints(5, 2, 4)"),
    ("nn.EmbeddingBag(5, 3, mode='sum', padding_idx=2)", "ints(5, 7), torch.tensor([0, 3, 3])"),
    ("nn.EmbeddingBag(5, 3, mode='max', max_norm=1.0)", "ints(5, 2, 4)"),
    ("nn.EmbeddingBag(5, 3, mode='sum', include_last_offset=True)",
     "ints(5, 4), torch.tensor([0, 2, 4]), positive(4)"),
    ("nn.EmbeddingBag(5, 3, padding_idx=7)", ""),
    ("nn.EmbeddingBag(5, 3, mode='max')", "ints(9, 2, 3) + 3"),
    ("nn.EmbeddingBag(5, 3, max_norm=1.0)", "ints(1, 2, 3) + 7"),
    ("nn.EmbeddingBag(5, 3, mode='sum')", "ints(5, 1, 4), None, positive(1, 4).double()"),
    ("nn.Embedding(5, 3)", "ints(5, 4).to(torch.uint8)"),
    # ----- dropout -----
    ("nn.Dropout()", "real(4, 5)"),
    ("nn.Dropout(0.0)", "real(4, 5)"),
    ("nn.Dropout(1.0)", "real(4, 5)"),
    ("nn.Dropout(1.5)", ""),
    ("nn.Dropout(0.3).eval()", "real(4, 5)"),
    ("nn.Dropout1d(0.4)", "real(3, 4, 5)"),
    ("nn.Dropout2d(0.4)", "real(2, 4, 2, 2)"),
    ("nn.Dropout3d(0.4)", "real(2, 4, 2, 1, 2)"),
    ("nn.AlphaDropout(0.4)", "real(4, 5)"),
    ("nn.FeatureAlphaDropout(0.4)", "real(2, 4, 3)"),
    # ----- shapes, distances -----
    ("nn.Flatten()", "real(2, 3, 4)"),
    ("nn.Flatten(0, 1)", "real(2, 3, 4)"),
    ("nn.Unflatten(1, (2, 3))", "real(2, 6)"),
    ("nn.Unflatten(1, 6)", ""),
    ("nn.Unflatten(1, (2, 3.0))", ""),
    ("nn.PairwiseDistance()", "real(3, 4), real(3, 4, low=0)"),
    ("nn.PairwiseDistance(1.0, keepdim=True)", "real(3, 4), real(3, 4, low=0)"),
    ("nn.CosineSimilarity()", "real(3, 4), real(3, 4, low=0)"),
    ("nn.CosineSimilarity(dim=0, eps=1e-3)", "real(3, 4), real(3, 4, low=0)"),
    # ----- activations -----
    *[(f"nn.{name}()", "real(3, 4, low=-4, high=4)") for name in (
        "Sigmoid", "Tanh", "LogSigmoid", "Softsign", "Tanhshrink", "ReLU", "ReLU6", "SiLU", "Mish",
        "SELU", "Hardsigmoid", "Hardswish", "Hardtanh", "ELU", "CELU", "LeakyReLU", "PReLU", "GLU",
        "GELU", "Softplus", "Hardshrink", "Softshrink", "RReLU",
    )],
    *[(f"nn.{name}(inplace=True)", "real(3, 4) * 2") for name in (
        "ReLU", "ReLU6", "SiLU", "Mish", "SELU", "Hardsigmoid", "Hardswish", "Hardtanh", "ELU",
        "CELU", "LeakyReLU", "RReLU",
    )],
    ("nn.RReLU(0.1, 0.2).eval()", "real(3, 4)"),
    *[(f"nn.{name}()", "torch.tensor([float('nan'), -1.0, 0.0, 1.0]).repeat(16)") for name in (
        "ELU", "SELU", "CELU", "Hardsigmoid", "LeakyReLU",
    )],
    ("nn.Hardsigmoid()", "real(3, 4).double()"),
    ("nn.Softshrink(-1)", "real(3, 4).double()"),
    ("nn.Threshold(0.1, 20.0)", "real(3, 4)"),
    ("nn.Threshold(0.1, 20, inplace=True)", "real(3, 4) * 2"),
    ("nn.Hardtanh(-0.5, 0.7)", "real(3, 4)"),
    ("nn.Hardtanh(1.0, 0.0)", ""),
    ("nn.Hardtanh(min_value=-2.0, max_value=0.5)", "real(3, 4)"),
    ("nn.ELU(0.5)", "real(3, 4)"),
    ("nn.CELU(0.5)", "real(3, 4)"),
    ("nn.LeakyReLU(0.2)", "real(3, 4)"),
    ("nn.PReLU(4, init=0.1)", "real(3, 4)"),
    ("nn.GLU(0)", "real(4, 3)"),
    ("nn.GELU('tanh')", "real(3, 4)"),
    ("nn.Softplus(2.0, 1.0)", "real(3, 4)"),
    ("nn.Softmin(0)", "real(3, 4)"),
    ("nn.Softmax(-1)", "real(3, 4)"),
    ("nn.Softmax()", "real(3, 4)"),
    ("nn.LogSoftmax(1)", "real(3, 4)"),
    ("nn.Softmax2d()", "real(2, 3, 2, 2)"),
    ("nn.Softmax2d()", "real(3, 2)"),
    # ----- convolution -----
    ("nn.Conv1d(3, 4, 2)", "real(2, 3, 5)"),
    ("nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False)",
     "real(2, 4, 7)"),
    ("nn.Conv2d(3, 4, 3)", "real(2, 3, 5, 5)"),
    ("nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0))", "real(3, 5, 5)"),
    ("nn.Conv2d(2, 2, 3, padding='same', dilation=2)", "real(1, 2, 6, 6)"),
    ("nn.Conv2d(2, 2, (2, 4), padding='same', padding_mode='circular')", "real(1, 2, 6, 6)"),
    ("nn.Conv2d(2, 2, 3, padding='valid')", "real(1, 2, 6, 6)"),
    ("nn.Conv2d(2, 2, 3, padding=1, padding_mode='circular')", "real(1, 2, 4, 4)"),
    ("nn.Conv2d(2, 2, 3, padding=(1, 2), padding_mode='reflect')", "real(1, 2, 4, 4)"),
    ("nn.Conv2d(2, 2, 3, padding=1, padding_mode='replicate')", "real(1, 2, 4, 4)"),
    ("nn.Conv3d(2, 3, 2, stride=2)", "real(1, 2, 4, 4, 4)"),
    ("nn.Conv2d(3, 4, 3, groups=2)", ""),
    ("nn.Conv2d(4, 3, 3, groups=2)", ""),
    ("nn.Conv2d(4, 3, 3, groups=0)", ""),
    ("nn.Conv2d(4, 3, 3, padding='same', stride=2)", ""),
    ("nn.Conv2d(3, 4, 3)", "real(2, 4, 5, 5)"),
    ("nn.Conv2d(3, 4, 7)", "real(2, 3, 5, 5)"),
    ("nn.ConvTranspose1d(3, 2, 3)", "real(2, 3, 4)"),
    ("nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)",
     "real(1, 4, 3, 3)"),
    ("nn.ConvTranspose2d(2, 2, (2, 3), stride=2, dilation=2, bias=False)", "real(2, 3, 3)"),
    ("nn.ConvTranspose2d(2, 2, 3, stride=2)", "real(1, 2, 3, 3), [8, 7]"),
    ("nn.ConvTranspose2d(2, 2, 3, stride=2)", "real(1, 2, 3, 3), [9, 7]"),
    ("nn.ConvTranspose2d(2, 2, 3, stride=2)", "real(1, 2, 3, 3), [9, 7, 7]"),
    ("nn.ConvTranspose3d(2, 2, 2)", "real(1, 2, 2, 2, 2)"),
    ("nn.ConvTranspose1d(2, 4, 3, output_padding=1)", "real(1, 2, 5)"),
    ("nn.Conv2d(2, 2, 3, dtype=torch.float64)", "real(1, 2, 4, 4)"),
    ("nn.Conv2d(2, 2, 0)", "real(1, 2, 4, 4)"),
    ("nn.Conv2d(2, 2, (3,))", ""),
    *[(build, "real(0, 2, 4, 4)") for build in (
        "nn.Conv2d(2, 4, 3, groups=2)", "nn.ConvTranspose2d(2, 2, 3)", "nn.Conv2d(2, 3, 1)",
    )],
    ("nn.LSTM(3, 4, bidirectional=True)", "real(5, 0, 3)"),
    ("nn.MultiheadAttention(4, 2)", "real(3, 0, 4), real(2, 0, 4), real(2, 0, 4)"),
    ("nn.AvgPool3d(4)", "real(1, 3, 4, 5)"),
    ("nn.EmbeddingBag(6, 3, mode='mean', scale_grad_by_freq=True)",
     "ints(6, 8), torch.tensor([0, 3])"),
    ("nn.MultiLabelSoftMarginLoss(reduction='foo')", "real(2, 4), ints(2, 2, 4).float()"),
    ("nn.ConvTranspose2d(2, 2, 3, padding_mode='circular')", ""),
    # ----- pooling -----
    ("nn.MaxPool1d(2)", "real(2, 3, 7)"),
    ("nn.MaxPool2d(2)", "real(2, 3, 5, 4)"),
    ("nn.MaxPool2d((3, 2), stride=1, padding=(1, 0), dilation=(1, 2), ceil_mode=True)",
     "real(2, 3, 5, 5)"),
    ("nn.MaxPool2d(2, return_indices=True)", "real(3, 4, 4)"),
    ("nn.MaxPool3d(2, stride=1)", "real(1, 2, 3, 3, 3)"),
    ("nn.MaxPool2d(3, padding=2, dilation=2)", "real(1, 2, 7, 7)"),
    ("nn.MaxPool3d(3, padding=2, dilation=2)", "real(1, 1, 7, 7, 7)"),
    ("nn.MaxPool1d(3, padding=2, dilation=2)", "real(1, 2, 7)"),
    ("nn.MaxPool1d(2, padding=2, return_indices=True)", "real(1, 2, 7)"),
    ("nn.MaxPool1d(2, return_indices=True)", "real(7)"),
    ("nn.MaxUnpool1d(2)", "real(1, 1, 2), torch.tensor([[[1, 2]]])"),
    ("nn.MaxUnpool2d(2, 2)", "real(1, 1, 1, 2), torch.tensor([[[[1, 6]]]])"),
    ("nn.MaxUnpool3d(2)", "real(1, 1, 1, 1, 1), torch.tensor([[[[[5]]]]])"),
    ("nn.AvgPool1d(2, padding=1)", "real(2, 3, 5)"),
    ("nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)", "real(1, 2, 5, 5)"),
    ("nn.AvgPool2d(2, ceil_mode=True, divisor_override=3)", "real(1, 2, 5, 5)"),
    ("nn.AvgPool3d(2)", "real(1, 2, 4, 2, 2)"),
    ("nn.LPPool1d(2, 2)", "positive(1, 2, 5)"),
    ("nn.LPPool2d(3, 2, stride=1)", "positive(1, 2, 4, 4)"),
    ("nn.LPPool3d(2, 2)", "positive(1, 2, 4, 2, 2)"),
    ("nn.AdaptiveMaxPool1d(2)", "real(1, 2, 5)"),
    ("nn.AdaptiveMaxPool2d((2, None))", "real(1, 2, 5, 4)"),
    ("nn.AdaptiveMaxPool2d(2, return_indices=True)", "real(1, 2, 5, 4)"),
    ("nn.AdaptiveMaxPool3d(2)", "real(1, 1, 3, 2, 4)"),
    ("nn.AdaptiveAvgPool1d(3)", "real(1, 2, 5)"),
    ("nn.AdaptiveAvgPool2d((None, 2))", "real(1, 2, 3, 5)"),
    ("nn.AdaptiveAvgPool2d(1)", "real(1, 2, 3, 5)"),
    ("nn.AdaptiveAvgPool3d(2)", "real(1, 1, 3, 2, 4)"),
    ("nn.FractionalMaxPool2d(2, output_size=3)", "real(1, 2, 6, 7)"),
    ("nn.FractionalMaxPool2d(2, output_ratio=0.5)", "real(1, 2, 6, 7)"),
    ("nn.FractionalMaxPool2d(2)", ""),
    ("nn.FractionalMaxPool2d(2, 3, 0.5)", ""),
    ("nn.FractionalMaxPool2d(2, output_ratio=1.5)", ""),
    ("nn.FractionalMaxPool3d(2, output_size=2)", "real(1, 1, 4, 4, 4)"),
    ("nn.FractionalMaxPool3d(0, output_size=2)", ""),
    ("nn.FractionalMaxPool3d(2, output_size=4)", "real(1, 1, 4, 4, 4)"),
    # ----- padding, resampling -----
    *[(f"nn.{kind}Pad{n}d({args})", shape) for kind, extra in (
        ("Constant", ", 3.5"), ("Reflection", ""), ("Replication", ""), ("Zero", ""),
        ("Circular", ""),
    ) for n, args, shape in (
        (1, "(1, 2)" + extra, "real(2, 2, 3)"),
        (2, "1" + extra, "real(1, 2, 3, 3)"),
        (3, "(1, 0, 1, 1, 0, 1)" + extra, "real(1, 1, 2, 2, 2)"),
    )],
    ("nn.CircularPad1d(1)", "real(2, 2, 2, 2)"),
    ("nn.ReflectionPad1d((1, 1, 1))", "real(2, 2, 3)"),
    ("nn.Upsample(scale_factor=2)", "real(1, 2, 3)"),
    ("nn.Upsample(size=(3, 5), mode='bilinear')", "real(1, 2, 2, 3)"),
    ("nn.Upsample(scale_factor=(2, 1.5), mode='bicubic', align_corners=True)", "real(1, 2, 3, 4)"),
    ("nn.UpsamplingNearest2d(scale_factor=2)", "real(1, 2, 2, 3)"),
    ("nn.UpsamplingBilinear2d(size=4)", "real(1, 2, 2, 3)"),
    ("nn.PixelShuffle(2)", "real(1, 4, 2, 3)"),
    ("nn.PixelShuffle(2)", "real(1, 3, 2, 3)"),
    ("nn.PixelShuffle(2.0)", "real(1, 3, 2, 3)"),
    ("nn.ChannelShuffle(2.0)", "real(1, 4, 2)"),
    ("nn.PixelUnshuffle(2)", "real(1, 1, 4, 6)"),
    ("nn.ChannelShuffle(2)", "real(1, 4, 2)"),
    ("nn.Fold((4, 5), (2, 2))", "real(1, 12, 12)"),
    ("nn.Unfold((2, 3), padding=1, stride=2)", "real(1, 3, 4, 5)"),
    # ----- normalization -----
    ("nn.BatchNorm1d(3)", "real(4, 3)"),
    ("nn.BatchNorm1d(3, momentum=None)", "real(4, 3, 2)"),
    ("nn.BatchNorm1d(3, affine=False)", "real(4, 3)"),
    ("nn.BatchNorm1d(3, track_running_stats=False).eval()", "real(4, 3)"),
    ("nn.BatchNorm1d(3, bias=False).eval()", "real(4, 3)"),
    ("nn.BatchNorm1d(3)", "real(1, 3)"),
    ("nn.BatchNorm1d(3)", "real(1, 3, 2, 2)"),
    ("nn.BatchNorm2d(3, eps=1e-3, momentum=0.2)", "real(2, 3, 2, 2)"),
    ("nn.BatchNorm2d(3)", "real(2, 3, 2)"),
    ("nn.BatchNorm3d(2)", "real(2, 2, 1, 2, 2)"),
    ("nn.SyncBatchNorm(3)", "real(2, 3, 2)"),
    ("nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm1d(2), nn.ReLU()))",
     "real(4, 2)"),
    ("nn.InstanceNorm1d(3)", "real(2, 3, 4)"),
    ("nn.InstanceNorm1d(3, affine=True)", "real(3, 4)"),
    ("nn.InstanceNorm1d(3, affine=True)", "real(2, 4, 4)"),
    ("nn.InstanceNorm1d(5)", "real(2, 3, 4)"),
    ("nn.InstanceNorm2d(2, affine=True, track_running_stats=True)", "real(2, 2, 3, 3)"),
    ("nn.InstanceNorm2d(2, track_running_stats=True).eval()", "real(2, 2, 3, 3)"),
    ("nn.InstanceNorm3d(2)", "real(1, 2, 2, 2, 2)"),
    ("nn.LayerNorm(4)", "real(2, 3, 4)"),
    ("nn.LayerNorm([3, 4], eps=1e-3, bias=False)", "real(2, 3, 4)"),
    ("nn.LayerNorm(4, elementwise_affine=False)", "real(2, 3, 4)"),
    ("nn.LayerNorm(4)", "real(2, 4, 3)"),
    ("nn.GroupNorm(2, 4)", "real(2, 4, 3)"),
    ("nn.GroupNorm(4, 4, affine=False)", "real(2, 4, 2, 2)"),
    ("nn.GroupNorm(3, 4)", ""),
    ("nn.RMSNorm(4)", "real(2, 3, 4)"),
    ("nn.RMSNorm((3, 4), eps=1e-3, elementwise_affine=False)", "real(2, 3, 4)"),
    ("nn.LocalResponseNorm(2)", "real(2, 4, 3)"),
    ("nn.CrossMapLRN2d(3)", "real(1, 4, 2, 2)"),
    ("nn.CrossMapLRN2d(3)", "real(4, 2, 2)"),
    ("nn.CrossMapLRN2d(3, alpha=0.5, beta=2.0)", "real(1, 6, 2, 2)"),
    ("nn.CrossMapLRN2d(4, alpha=0.5, k=2)", "real(1, 3, 2, 2)"),
    ("nn.BatchNorm1d(3, eps=0)", "real(4, 3)"),
    ("nn.BatchNorm1d(3, eps=-1).eval()", "real(4, 3)"),
    ("nn.BatchNorm1d(3)", "real(4, 3).double()"),
    ("nn.BatchNorm1d(3, dtype=torch.float64)", "real(4, 3)"),
    ("nn.BatchNorm1d(3, affine=False, dtype=torch.float64).eval()", "real(4, 3)"),
    ("nn.LayerNorm(3, dtype=torch.float64)", "real(4, 3)"),
    ("nn.GroupNorm(-2, 6)", "real(2, 6, 3)"),
    # ----- losses -----
    *[(f"nn.{name}({options})", inputs) for name, inputs in (
        ("L1Loss", "real(3, 4), real(3, 4, low=0)"),
        ("MSELoss", "real(3, 4), real(3, 4, low=0)"),
        ("SmoothL1Loss", "real(3, 4), real(3, 4, low=0)"),
        ("HuberLoss", "real(3, 4), real(3, 4, low=0)"),
        ("SoftMarginLoss", "real(3, 4), ints(2, 3, 4) * 2 - 1"),
        ("MultiLabelMarginLoss", "real(2, 4), torch.tensor([[3, 0, -1, 1], [1, -1, 0, 0]])"),
        ("BCELoss", "positive(3, 4), ints(2, 3, 4).float()"),
        ("BCEWithLogitsLoss", "real(3, 4), ints(2, 3, 4).float()"),
        ("MultiLabelSoftMarginLoss", "real(3, 4), ints(2, 3, 4).float()"),
        ("NLLLoss", "real(3, 4), ints(4, 3)"),
        ("CrossEntropyLoss", "real(3, 4), ints(4, 3)"),
        ("MultiMarginLoss", "real(3, 4), ints(4, 3)"),
        ("PoissonNLLLoss", "real(3, 4), positive(3, 4)"),
        ("GaussianNLLLoss", "real(3, 4), real(3, 4, low=0), positive(3, 4)"),
        ("KLDivLoss", "-positive(3, 4), positive(3, 4)"),
        ("HingeEmbeddingLoss", "real(3, 4), ints(2, 3, 4) * 2.0 - 1"),
        ("CosineEmbeddingLoss", "real(3, 4), real(3, 4, low=0), ints(2, 3) * 2 - 1"),
        ("MarginRankingLoss", "real(4), real(4, low=0), ints(2, 4) * 2 - 1"),
        ("TripletMarginLoss", "real(3, 4), real(3, 4, low=0), real(3, 4, high=0)"),
        ("TripletMarginWithDistanceLoss", "real(3, 4), real(3, 4, low=0), real(3, 4, high=0)"),
        ("CTCLoss", "real(6, 2, 4).log_softmax(-1), ints(3, 2, 2) + 1, "
                    "torch.tensor([6, 5]), torch.tensor([2, 1])"),
    ) for options in ("", "reduction='sum'", "reduction='none'")],
    ("nn.MSELoss(size_average=False)", "real(3, 4), real(3, 4, low=0)"),
    ("nn.MSELoss(reduce=False)", "real(3, 4), real(3, 4, low=0)"),
    ("nn.MSELoss(reduction='middle')", "real(3, 4), real(3, 4, low=0)"),
    ("nn.NLLLoss(weight=positive(4), ignore_index=1)", "real(3, 4, 2), ints(4, 3, 2)"),
    ("nn.NLLLoss2d()", "real(3, 4), ints(4, 3)"),
    ("nn.CrossEntropyLoss(weight=positive(4), label_smoothing=0.1)", "real(3, 4), ints(4, 3)"),
    ("nn.CrossEntropyLoss(label_smoothing=0.2)", "real(3, 4), real(3, 4).softmax(-1)"),
    ("nn.CrossEntropyLoss()", "real(3, 4), ints(4, 2)"),
    ("nn.CrossEntropyLoss()", "real(3, 4), ints(4, 3, 1).float()"),
    ("nn.CrossEntropyLoss()", "real(3, 4), real(2)"),
    ("nn.CrossEntropyLoss()", "real(3, 4), torch.tensor(1)"),
    ("nn.CrossEntropyLoss()", "real(2, 3, 4), real(2, 3)"),
    ("nn.NLLLoss()", "real(3, 4), real(3)"),
    ("nn.KLDivLoss(reduction='sum')", "real(3), ints(2, 3)"),
    ("nn.GaussianNLLLoss()", "real(3, 4), real(3, 4), positive(4)"),
    ("nn.GaussianNLLLoss()", "real(3, 4), real(3, 4, low=0), positive(1, 4)"),
    ("nn.BCELoss()", "torch.tensor([0, 1, 0.5]).double(), torch.tensor([1, 0, 1.0]).double()"),
    ("nn.LinearCrossEntropyLoss(3, 4)", "real(2, 3), ints(4, 2)"),
    ("nn.LinearCrossEntropyLoss(3, 4, bias=True, reduction='sum')", "real(2, 3), ints(4, 2)"),
    ("nn.LinearCrossEntropyLoss(3, 4, label_smoothing=2.0)", ""),
    ("nn.LinearCrossEntropyLoss(3, 2, out_features=(2,))", "real(2, 3), ints(2, 2, 2)"),
    ("nn.LinearCrossEntropyLoss(3, 4, options=nn.LinearCrossEntropyOptions(False, 1, None))",
     "real(2, 3), ints(4, 2)"),
    ("nn.LinearCrossEntropyOptions(acc_policy='bad')", ""),
    ("nn.LinearCrossEntropyOptions(batch_chunk_size=0)", ""),
    ("nn.LinearCrossEntropyOptions(chunking_method='bad')", ""),
    ("nn.LinearCrossEntropyOptions(acc_dtype=torch.int64)", ""),
    ("nn.DataParallel(nn.Linear(2, 2))", "real(3, 2)"),
    ("nn.BCELoss(weight=positive(4))", "positive(3, 4), ints(2, 3, 4).float()"),
    ("nn.BCELoss(weight=positive(3))", "positive(3, 4), ints(2, 3, 4).float()"),
    ("nn.BCELoss(weight=positive(2, 3, 4))", "positive(3, 4), ints(2, 3, 4).float()"),
    ("nn.BCEWithLogitsLoss(pos_weight=positive(4))", "real(3, 4), ints(2, 3, 4).float()"),
    ("nn.HuberLoss(delta='a')", ""),
    ("nn.MultiMarginLoss(p=3)", ""),
    ("nn.MultiMarginLoss(p=2, margin=0.5, weight=positive(4))", "real(3, 4), ints(4, 3)"),
    ("nn.MultiMarginLoss(weight=positive(2, 2))", ""),
    ("nn.TripletMarginLoss(margin=0)", ""),
    ("nn.TripletMarginLoss(p=1.0, swap=True)", "real(3, 4), real(3, 4, low=0), real(3, 4, high=0)"),
    ("nn.SmoothL1Loss(beta=0.3)", "real(3, 4), real(3, 4, low=0)"),
    ("nn.KLDivLoss(reduction='batchmean', log_target=True)", "-positive(3, 4), -positive(3, 4)"),
    ("nn.PoissonNLLLoss(log_input=False, full=True)", "positive(3, 4), positive(3, 4) * 5"),
    ("nn.GaussianNLLLoss(full=True)", "real(3, 4), real(3, 4, low=0), positive(3, 4)"),
    ("nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 6])", "real(5, 4), ints(10, 5)"),
    ("nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 3])", ""),
    # ----- recurrent -----
    ("nn.RNN(3, 4)", "real(5, 2, 3)"),
    ("nn.RNN(3, 4, 2, 'relu', batch_first=True, bidirectional=True)", "real(2, 5, 3)"),
    ("nn.RNN(3, 4, bias=False)", "real(5, 3), real(1, 4)"),
    ("nn.LSTM(3, 4)", "real(5, 2, 3)"),
    ("nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2)", "real(5, 2, 3)"),
    ("nn.LSTM(3, 4, batch_first=True)",
     "real(2, 5, 3), (real(1, 2, 4), real(1, 2, 4, low=0))"),
    ("nn.LSTM(3, 4, num_layers=2, dropout=0.5)", "real(5, 2, 3)"),
    ("nn.LSTM(3, 4)", "real(5, 3)"),
    ("nn.LSTM(3, 4)", "nn.utils.rnn.pack_sequence([real(4, 3), real(2, 3), real(1, 3)])"),
    ("nn.GRU(3, 4)", "real(5, 2, 3)"),
    ("nn.GRU(3, 4, num_layers=2, bias=False, bidirectional=True)", "real(5, 2, 3)"),
    ("nn.GRU(3, 4, bidirectional=True)", "nn.utils.rnn.pack_padded_sequence("
     "real(4, 3, 3), torch.tensor([2, 4, 1]), enforce_sorted=False)"),
    ("nn.GRU(3, 4)", "real(5, 2, 2)"),
    ("nn.GRU(3, 4)", "real(5)"),
    ("nn.RNN(3, 4)", "real(5)"),
    ("nn.LSTM(3, 4)", "real(5)"),
    ("nn.GRU(3, 4)", "real(5, 2, 3).double()"),
    ("nn.GRU(3, 4)", "real(5, 2, 3), real(2, 4)"),
    ("nn.GRU(3, 4)", "real(5, 2, 3), real(2, 2, 4)"),
    ("nn.LSTM(3, 4)", "real(5, 2, 3), (real(1, 2, 4), real(1, 2, 3))"),
    ("nn.LSTM(3, 4)", "real(5, 3), (real(1, 2, 4), real(1, 2, 3))"),
    ("nn.LSTM(3, 4)", "real(5, 2, 3), (real(1, 2, 4),) * 3"),
    ("nn.LSTM(3, 4)", "real(0, 2, 3)"),
    ("nn.LSTM(3, 4, dtype=torch.float64)", "real(2, 2, 3).double()"),
    ("nn.GRU(3, 4, batch_first=True)", "real(2, 2, 3)"),
    ("nn.GRU(3, 4, proj_size=2)", ""),
    ("nn.LSTM(3, 4, proj_size=4)", ""),
    ("nn.LSTM(3, 4, dropout=2)", ""),
    ("nn.LSTM(3, 4, dropout=0.2)", ""),
    ("nn.LSTM(3.0, 4)", ""),
    ("nn.LSTM(0, 4)", ""),
    ("nn.LSTM(3, 4, 0)", ""),
    ("nn.LSTM(3, 4, 1, 2)", ""),
    ("nn.RNN(3, 4, nonlinearity='elu')", ""),
    ("nn.RNNBase('ABC', 3, 4)", ""),
    ("nn.RNNCell(3, 4)", "real(2, 3)"),
    ("nn.RNNCell(3, 4, nonlinearity='relu', bias=False)", "real(3), real(4)"),
    ("nn.RNNCell(3, 4)", "real(2, 2, 3)"),
    ("nn.LSTMCell(3, 4)", "real(2, 3), (real(2, 4), real(2, 4, low=0))"),
    ("nn.LSTMCell(3, 4)", "real(3)"),
    ("nn.LSTMCell(3, 4)", "real(2, 3), (real(2, 2, 4), real(2, 4, low=0))"),
    ("nn.LSTMCell(3, 4)", "real(2, 3), real(2, 4)"),
    ("nn.LSTMCell(3, 4)", "real(2, 3), (real(2, 4),)"),
    ("nn.GRUCell(3, 4)", "real(2, 3), real(2, 4)"),
    # ----- attention -----
    ("nn.MultiheadAttention(4, 2)", "real(3, 2, 4), real(5, 2, 4), real(5, 2, 4, low=0)"),
    ("nn.MultiheadAttention(4, 2, batch_first=True, dropout=0.1)", "*[real(2, 3, 4)] * 3"),
    ("nn.MultiheadAttention(4, 2, kdim=3, vdim=5, bias=False)",
     "real(3, 2, 4), real(5, 2, 3), real(5, 2, 5)"),
    ("nn.MultiheadAttention(4, 2, add_bias_kv=True, add_zero_attn=True)", "*[real(3, 4)] * 3"),
    ("nn.MultiheadAttention(4, 2, batch_first=True)",
     "*[real(2, 3, 4)] * 3, torch.tensor([[0, 0, 1], [0, 0, 0]]).bool(), False"),
    ("nn.MultiheadAttention(4, 2)", "*[real(3, 2, 4)] * 3, None, True, "
     "nn.Transformer.generate_square_subsequent_mask(3), False"),
    ("nn.MultiheadAttention(4, 2)", "*[real(3, 2, 4)] * 3, None, False, "
     "nn.Transformer.generate_square_subsequent_mask(3), True, True"),
    ("nn.MultiheadAttention(4, 2)", "*[real(3, 2, 4)] * 3, None, False, None, True, True"),
    ("nn.MultiheadAttention(4, 3)", ""),
    ("nn.MultiheadAttention(0, 3)", ""),
    ("nn.MultiheadAttention(4, 2)", "*[real(3, 2, 5)] * 3"),
    ("nn.TransformerEncoderLayer(4, 2, 6, 0.0)", "real(3, 2, 4)"),
    ("nn.TransformerEncoderLayer(4, 2, 6, 0.1, 'gelu', norm_first=True, bias=False)",
     "real(3, 2, 4), nn.Transformer.generate_square_subsequent_mask(3)"),
    ("nn.TransformerEncoderLayer(4, 2, 6, activation=nn.ELU(), batch_first=True).eval()",
     "real(2, 3, 4), None, torch.tensor([[0, 0, 1], [0, 0, 0]]).bool()"),
    ("nn.TransformerEncoderLayer(4, 2, 6, activation='elu')", ""),
    ("nn.TransformerDecoderLayer(4, 2, 6)", "real(3, 2, 4), real(5, 2, 4)"),
    ("nn.TransformerDecoderLayer(4, 2, 6, norm_first=True, batch_first=True)",
     "real(2, 3, 4), real(2, 5, 4), nn.Transformer.generate_square_subsequent_mask(3)"),
    ("nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, batch_first=True), 2,"
     " nn.LayerNorm(4))", "real(2, 3, 4), nn.Transformer.generate_square_subsequent_mask(3)"),
    ("nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6), 2)", "real(3, 2, 4)"),
    ("nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6), 2)",
     "real(3, 2, 4), real(5, 2, 4), nn.Transformer.generate_square_subsequent_mask(3)"),
    ("nn.Transformer(4, 2, 1, 2, 6)", "real(3, 2, 4), real(5, 2, 4)"),
    ("nn.Transformer(4, 2, 1, 1, 6)", "real(3, 2, 4), real(5, 3, 4)"),
    ("nn.Transformer(4, 2, 1, 1, 6)", "real(3, 2, 5), real(5, 2, 5)"),
    # ----- lazy -----
    ("nn.LazyLinear(2)", ""),
    ("nn.LazyLinear(2)", "real(4, 3)"),
    ("nn.LazyLinear(2, bias=False)", "real(4, 3)"),
    ("nn.LazyConv1d(2, 2)", "real(2, 3, 4)"),
    ("nn.LazyConv2d(2, 2, groups=2)", "real(2, 3, 4, 4)"),
    ("nn.LazyConv2d(2, 2, padding=1, bias=False)", "real(3, 4, 4)"),
    ("nn.LazyConv2d(2, 2)", "real(3, 4)"),
    ("nn.LazyConv3d(2, 2)", "real(1, 1, 2, 2, 3)"),
    ("nn.LazyConvTranspose1d(2, 2)", "real(2, 3, 4)"),
    ("nn.LazyConvTranspose2d(2, 2, stride=2)", "real(1, 3, 2, 2)"),
    ("nn.LazyConvTranspose3d(2, 2)", "real(1, 1, 2, 2, 2)"),
    ("nn.LazyBatchNorm1d()", "real(4, 3)"),
    ("nn.LazyBatchNorm2d(affine=False)", "real(2, 3, 2, 2)"),
    ("nn.LazyBatchNorm3d(track_running_stats=False)", "real(2, 2, 1, 2, 2)"),
    ("nn.LazyInstanceNorm1d()", "real(2, 3, 4)"),
    ("nn.LazyInstanceNorm2d(affine=False)", "real(2, 3, 2, 2)"),
    ("nn.LazyInstanceNorm3d()", "real(1, 2, 2, 2, 2)"),
    # ----- containers -----
    ("nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))", "real(2, 3)"),
    ("nn.Sequential(OrderedDict(a=nn.Linear(3, 2), b=nn.Tanh()))", "real(2, 3)"),
    ("nn.Sequential(nn.Linear(3, 3), nn.ReLU()) * 2", "real(2, 3)"),
    ("nn.Sequential(nn.ReLU()) + nn.Sequential(nn.Tanh())", "real(2, 3)"),
    ("nn.Sequential(nn.ReLU()) + nn.Tanh()", ""),
    ("nn.Sequential(nn.ReLU()) * 0", ""),
    ("nn.Sequential(nn.ReLU()) * 1.5", ""),
    ("nn.Sequential(nn.ReLU(), nn.Tanh(), nn.ELU())[1:]", "real(2, 3)"),
    ("nn.Sequential(nn.ReLU())[1]", ""),
    ("nn.Sequential(nn.ReLU(), 3)", ""),
    ("nn.Sequential(nn.ReLU(), nn.Tanh()).insert(-1, nn.ELU())", "real(2, 3)"),
    ("nn.Sequential(nn.ReLU()).insert(5, nn.ELU())", ""),
    ("nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.ModuleList()])", ""),
    ("nn.ModuleList([nn.ModuleList([nn.ReLU(), nn.ReLU()]) for _ in range(3)])", ""),
    ("nn.ModuleList([nn.ReLU()]) + [nn.Tanh()]", ""),
    ("nn.ModuleList([nn.ReLU(), nn.Tanh(), nn.ELU()])[::2]", ""),
    ("nn.ModuleList([nn.ReLU()])['a']", ""),
    ("nn.ModuleList([nn.ReLU()])[-2]", ""),
    ("nn.ModuleList(3)", ""),
    ("nn.ModuleDict({'b': nn.Linear(1, 1), 'a': nn.ReLU()})", ""),
    ("nn.ModuleDict([['b', nn.Linear(1, 1)], ('a', nn.ReLU())])", ""),
    ("nn.ModuleDict([['b']])", ""),
    ("nn.ModuleDict([3])", ""),
    ("nn.ModuleDict(3)", ""),
    ("nn.ModuleDict({'a.b': nn.ReLU()})", ""),
    ("nn.ModuleDict({'pop': nn.ReLU()})", ""),
    ("nn.ModuleDict({'': nn.ReLU()})", ""),
    ("nn.ModuleDict({3: nn.ReLU()})", ""),
    ("nn.ParameterList([real(2, 3), nn.Parameter(real(1)), 'text', 3])", ""),
    ("nn.ParameterList([real(2), real(3), real(4)])[1:]", ""),
    ("nn.ParameterList([])", ""),
    ("nn.ParameterList(real(3))", ""),
    ("nn.ParameterList([real(3)])(1)", ""),
    ("nn.ParameterDict({'b': real(2, 3), 'a': nn.Parameter(real(1)), 'c': 'text'})", ""),
    ("nn.ParameterDict({'b': real(2)}) | {'a': real(1)}", ""),
    ("nn.ParameterDict({3: real(2)})", ""),
    ("nn.ParameterDict(3)", ""),
    ("nn.Container(a=nn.ReLU())", ""),
    ("nn.Module(3)", ""),
    ("nn.Module(a=3)", ""),
    ("nn.Module()", "real(3)"),
]


def numbers(torch):
    """The functions that make tensors of a given package, from NumPy's numbers."""
    def real(*shape, low=-1.0, high=1.0):
        seed = np.random.default_rng(len(shape) * 100 + int(10 * (high - low)))
        return torch.tensor(seed.uniform(low, high, shape).astype("float32"))

    def positive(*shape):
        return real(*shape, low=0.1, high=0.9)

    def ints(high, *shape):
        return torch.tensor(np.random.default_rng(high).integers(0, high, shape))

    return {"real": real, "positive": positive, "ints": ints}


def _tensors(torch, value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [tensor for one in value for tensor in _tensors(torch, one)]
    return []


def _array(tensor):
    return tensor.detach().numpy().copy()


def observe(torch, build, inputs):
    """(texts, arrays) of what a module shows: how it prints, what it holds, computes and learns."""
    from collections import OrderedDict

    texts, arrays = {}, {}
    names = {"nn": torch.nn, "torch": torch, "F": torch.nn.functional, "OrderedDict": OrderedDict}
    names |= numbers(torch)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _run(torch, build, inputs, names, texts, arrays)
        except Exception as error:
            texts["error"] = f"{type(error).__name__}: {error}"
    texts["warnings"] = [f"{w.category.__name__}: {w.message}" for w in caught
                         if "oneDNN" not in str(w.message)]
    return texts, arrays


def _run(torch, build, inputs, names, texts, arrays):
    torch.manual_seed(0)
    module = eval(build, names)
    texts["repr"] = repr(module)
    state = module.state_dict()
    lazy = torch.nn.parameter.is_lazy
    texts["state"] = {k: "lazy" if lazy(v) else list(v.shape) for k, v in state.items()}
    arrays |= {f"init.{k}": _array(v) for k, v in state.items() if not lazy(v)}
    if not inputs:
        return
    given = eval(f"({inputs},)", names)
    leaves = [t for t in given if isinstance(t, torch.Tensor) and t.is_floating_point()]
    for leaf in leaves:
        leaf.requires_grad_()
    if "inplace=True" in build:  # it may not write to a leaf
        given = [one * 1 for one in given]
    outputs = _tensors(torch, module(*given))
    arrays |= {f"output.{i}": _array(output) for i, output in enumerate(outputs)}
    texts["nodes"] = " ".join(type(output.grad_fn).__name__ for output in outputs)
    loss = sum(
        (output * torch.linspace(0.5, 1.5, output.numel()).view(output.shape)).sum()
        for output in outputs if output.requires_grad
    )
    if isinstance(loss, torch.Tensor):
        loss.backward()
    found = {f"input.{i}": leaf for i, leaf in enumerate(leaves)} | dict(module.named_parameters())
    arrays |= {f"grad.{key}": _array(t.grad) for key, t in found.items() if t.grad is not None}
    arrays |= {f"after.{key}": _array(value) for key, value in module.named_buffers()}


# ----- recorded arrays: all of one dtype in one, and where each of them lies -----
def pack(arrays):
    """(flat arrays by dtype, name -> [dtype, start, shape])."""
    flat, places = {}, {}
    for name, array in arrays.items():
        kind = array.dtype.name
        parts = flat.setdefault(kind, [])
        places[name] = [kind, sum(part.size for part in parts), list(array.shape)]
        parts.append(array.ravel())
    return {kind: np.concatenate(parts) for kind, parts in flat.items()}, places


def unpack(flat, place):
    """One array, from where it lies."""
    kind, start, shape = place
    return flat[kind][start : start + int(np.prod(shape))].reshape(shape)
