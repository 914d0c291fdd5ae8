// What the former simulation and this one share, while both stand.
global using CleanRun = DaNas.Actors.Simulated.CleanRun;
global using ClusterLayout = DaNas.Actors.Simulated.ClusterLayout;
global using Plant = DaNas.Actors.Simulated.Plant;
global using SimulatedBlobs = DaNas.Actors.Simulated.SimulatedBlobs;
global using SimulatedSearch = DaNas.Actors.Simulated.SimulatedSearch;
global using SimulationResult = DaNas.Actors.Simulated.SimulationResult;
