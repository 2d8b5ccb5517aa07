using Galaxy.AppHost.Startup;

namespace Galaxy.AppHost.Tests;

/// <summary>The home that the orchestrator gets.</summary>
public sealed class HomeFolderTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-home-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/nonexistent/home")]
    [InlineData("/proc")]
    public void Without_a_home_that_can_be_written_it_is_in_the_data_folder(string? home) =>
        Assert.Equal(Path.Combine(_data, "home"), HomeFolder.Choose(home, _data));

    [Fact]
    public void A_home_that_can_be_written_stays()
    {
        var home = Directory.CreateDirectory(Path.Combine(_data, "mein Ordner ğüş 数据")).FullName;

        Assert.Equal(home, HomeFolder.Choose(home, _data));
    }
}
