using Akka.Actor;
using Akka.Configuration;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace DaNas.Actors.Akka;

/// <summary>
/// Akka's remoting over connections of the node's own port, whose two sides have proved that they know the cluster's secret: Akka.NET's own transport would
/// need a second port, and lets in whoever reaches it.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1812", Justification = "Akka makes it by its name in HOCON.")]
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "Akka shuts it down, and never disposes of it.")]
internal sealed class LinkTransport : Transport
{
    /// <summary>What a frame of the connection holds.</summary>
    private const int MostBytes = (4 * 1024 * 1024) - 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly TaskCompletionSource<IAssociationEventListener> listener = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly AkkaNode node;
    private readonly AkkaHost host;

    public LinkTransport(ActorSystem system, Config config)
    {
        System = system;
        Config = config;
        SchemeIdentifier = AkkaHost.Scheme;
        MaximumPayloadBytes = MostBytes;
        host = system.Settings.Setup.Get<AkkaHost.HostSetup>().Value.Host;
        node = host.Node!;
    }

    private Address Local => new(SchemeIdentifier, System.Name, node.Host, node.Port);

    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        host.Arriving = AcceptAsync;
        return Task.FromResult((Local, listener));
    }

    public override bool IsResponsibleFor(Address remote) => true;

    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        patience.CancelAfter(Patience);
        try
        {
            INodeConnection connection = await node.Connect(remoteAddress.Host, remoteAddress.Port ?? 0, patience.Token);
            Handle handle = new(Local, remoteAddress, connection);
            _ = handle.CarryAsync(stopping.Token);
            return handle;
        }
#pragma warning disable CA1031 // Whatever went wrong, for Akka it is an association that did not come about, and it tries again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw new InvalidAssociationException($"{remoteAddress.Host}:{remoteAddress.Port}: {(e is OperationCanceledException ? "no answer" : e.Message)}", e);
        }
    }

    public override async Task<bool> Shutdown()
    {
        await stopping.CancelAsync();
        return true;
    }

    /// <summary>Carries a connection that another node made, to its end.</summary>
    private async Task AcceptAsync(INodeConnection connection, CancellationToken cancellation)
    {
        int colon = connection.Peer.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(connection.Peer.AsSpan(colon + 1), out int port))
            throw new InvalidDataException($"'{connection.Peer}' is not HOST:PORT of a node");
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stopping.Token);
        IAssociationEventListener events = await listener.Task.WaitAsync(Patience, over.Token);
        Handle handle = new(Local, new Address(SchemeIdentifier, System.Name, connection.Peer[..colon], port), connection);
        events.Notify(new InboundAssociation(handle));
        await handle.CarryAsync(over.Token);
    }

    private sealed class Handle(Address local, Address remote, INodeConnection connection) : AssociationHandle(local, remote)
    {
        public override bool Write(ByteString payload) => connection.Send(payload.ToByteArray());

        [Obsolete("As the base class has it.")]
        public override void Disassociate() => connection.Close();

        /// <summary>Nothing is read before somebody listens.</summary>
        public async Task CarryAsync(CancellationToken cancellation)
        {
            try
            {
                IHandleEventListener reader = await ReadHandlerSource.Task.WaitAsync(cancellation);
                await connection.CarryAsync(bytes => reader.Notify(new InboundPayload(ByteString.CopyFrom(bytes.Span))), cancellation);
                reader.Notify(new Disassociated(DisassociateInfo.Unknown));
            }
            catch (OperationCanceledException)
            {
                // The system ends.
            }
            finally
            {
                await connection.DisposeAsync();
            }
        }
    }
}
