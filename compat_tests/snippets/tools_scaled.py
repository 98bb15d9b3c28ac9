# Products of scaled eight-bit numbers.

# In [scaled_mm]
a = (torch.arange(32.).reshape(4, 8) % 7 - 3).to(torch.float8_e4m3fn)
b = (torch.arange(48.).reshape(6, 8) % 5 - 2).to(torch.float8_e4m3fn).t()
s1, s2 = torch.tensor(0.5), torch.tensor(2.0)
for kind in (None, torch.float32, torch.bfloat16, torch.float16, torch.float8_e5m2):
    print(torch._scaled_mm(a, b, s1, s2, out_dtype=kind))
print(torch._scaled_mm(a, b, s1, s2, bias=torch.ones(6), out_dtype=torch.float32, use_fast_accum=True))
print(torch._scaled_mm(a.to(torch.float8_e5m2), b, torch.ones(4, 1), torch.ones(1, 6) * 2, out_dtype=torch.float32))
big = torch.full((2, 600), 448.0).to(torch.float8_e4m3fn)
print(torch._scaled_mm(big, big.t(), s2, s2))
R = F.ScalingType
print(F.scaled_mm(a, b, s1, R.TensorWise, s2, R.TensorWise), F.scaled_mm(a, b, [torch.ones(4, 1)], [R.RowWise], torch.ones(1, 6), R.RowWise, output_dtype=torch.float32))
for wrong in ((a.float(), b.float(), s1, s2), (a, b, torch.ones(2), s2), (a, a, s1, s2), (a[0], b, s1, s2), (a, b, s1.double(), s2), (a, b, s1, s2, torch.ones(5))):
    try:
        torch._scaled_mm(*wrong)
    except Exception as error:
        print(type(error).__name__, error)
