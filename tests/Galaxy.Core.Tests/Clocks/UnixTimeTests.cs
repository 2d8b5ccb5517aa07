using Galaxy.Core.Clocks;

namespace Galaxy.Core.Tests.Clocks;

public class UnixTimeTests
{
    [Theory]
    [InlineData(long.MinValue, 1)]
    [InlineData(-1, 1969)]
    [InlineData(0, 1970)]
    [InlineData(1_764_374_400_000, 2025)]
    [InlineData(253_402_300_800_000, 9999)]
    [InlineData(long.MaxValue, 9999)]
    public void Any_number_is_a_moment(long milliseconds, int year) =>
        Assert.Equal(year, UnixTime.At(milliseconds).Year);
}
