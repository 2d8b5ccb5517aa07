using Galaxy.AppHost.Startup;

namespace Galaxy.AppHost.Tests;

/// <summary>The home that the orchestrator gets. These tests change a variable of the whole process, one after the other.</summary>
[Collection("environment")]
public sealed class HomeFolderTests : IDisposable
{
    private readonly string? _home = Environment.GetEnvironmentVariable("HOME");
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-home-").FullName;

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("HOME", _home);
        Directory.Delete(_data, recursive: true);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/nonexistent/home")]
    [InlineData("/proc")]
    public void Without_a_home_that_can_be_written_there_is_one_in_the_data_folder(string? home)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows finds the home without a variable.");
        Environment.SetEnvironmentVariable("HOME", home);

        HomeFolder.Ensure(_data);

        Assert.Equal(Path.Combine(_data, "home"), Environment.GetEnvironmentVariable("HOME"));
        Assert.True(Directory.Exists(Path.Combine(_data, "home")));
    }

    [Fact]
    public void A_home_that_can_be_written_stays()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows finds the home without a variable.");
        var home = Directory.CreateDirectory(Path.Combine(_data, "mein Ordner ğüş 数据")).FullName;
        Environment.SetEnvironmentVariable("HOME", home);

        HomeFolder.Ensure(_data);

        Assert.Equal(home, Environment.GetEnvironmentVariable("HOME"));
    }
}
